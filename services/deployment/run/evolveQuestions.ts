import type { DeploymentEvent } from '#contracts/deployment.ts'
import { taskKey, type Run } from './state.ts'

/** How questions about targets that have failed, and what people say to them, change a run. */
export function evolveQuestions(run: Run, event: Extract<DeploymentEvent, { type: `Decision${string}` }>): Run {
  const { stepId, machineId } = event.data
  const key = taskKey(run, stepId, machineId)
  const task = run.tasks.get(run.latest.get(key) ?? '')
  switch (event.type) {
    case 'DecisionRequested': {
      const { options, deadlineAt } = event.data
      const about = { stepId, machineId, attempt: task?.attempt ?? 0, options, deadlineAt }
      return { ...run, questions: run.questions.set(key, { ...about, answer: 'open', answeredAt: 0 }) }
    }
    case 'DecisionMade': {
      const question = run.questions.get(key)
      if (question === undefined) return run
      const { decision: answer, decidedAt: answeredAt } = event.data
      const questions = run.questions.set(key, { ...question, answer, answeredAt })
      if (answer !== 'retry' || task === undefined) return { ...run, questions }
      return { ...run, questions, tasks: run.tasks.set(task.taskId, { ...task, isWantedAgain: true }) }
    }
  }
}
