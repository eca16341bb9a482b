import type { Process } from '#contracts/process.ts'

/** What a release of the demo does on a machine: leave its version in a file, as an installed program would. */
const install = `
echo "$REMUDA_VERSION" > "$HOME/shop.version"
echo "shop $REMUDA_VERSION is installed on $REMUDA_MACHINE_NAME"
`
const test = `
test "$(cat "$HOME/shop.version")" = "$REMUDA_VERSION"
echo "$REMUDA_MACHINE_NAME answers with $REMUDA_VERSION"
`

/**
 * Starts two machines that outlive the step, and names them for the steps that follow. What is still in the script's own
 * process group when it ends is ended with it, so it waits until each agent stands on its own feet and holds its lock.
 */
const create = `
for name in web-6 web-7; do
  mkdir -p "$DEMO_MACHINES/$name"
  HOME="$DEMO_MACHINES/$name" setsid nohup "$DEMO_NODE" "$DEMO_AGENT" --server "$DEMO_SERVER" \\
    --token-file "$DEMO_JOIN_TOKEN_FILE" --name "$name" --role web --data "$DEMO_MACHINES/$name/agent" \\
    > "$DEMO_MACHINES/$name/agent.log" 2>&1 < /dev/null &
  echo $! > "$DEMO_MACHINES/$name/pid"
  until [ -e "$DEMO_MACHINES/$name/agent/agent.lock" ]; do sleep 0.05; done
  echo "started $name"
done
echo "machines=web-6,web-7" >> "$REMUDA_OUTPUT"
`
const drain = `
for name in $(echo "$REMUDA_REPLACED_MACHINES" | tr , ' '); do
  touch "$DEMO_MACHINES/$name/drained"
  echo "no more requests go to $name"
done
`
const destroy = `
for name in $(echo "$REMUDA_REPLACED_MACHINES" | tr , ' '); do
  kill "$(cat "$DEMO_MACHINES/$name/pid")" 2>/dev/null && echo "ended $name" || echo "$name had ended already"
done
`

type Draft = { readonly steps: readonly Readonly<Record<string, unknown>>[] }

const onTargets = { kind: 'script', roles: ['web'] }
const onWorker = { kind: 'script', on: 'worker' }

/** One step on the machines that are there, two at a time. */
export const rolling: Draft = { steps: [{ ...onTargets, id: 'install', script: install, window: 2 }] }

/** The machines of the release come and go with it. */
export const immutable: Draft = {
  steps: [
    { ...onWorker, id: 'create', name: 'Create two machines', script: create },
    {
      id: 'retarget',
      name: 'Wait for them and deploy to them instead',
      kind: 'reevaluate-targets',
      from: { output: 'create.machines' },
      expect: { min: 2, max: 2, withinMs: '60s' },
    },
    { ...onTargets, id: 'install', name: 'Install', script: install },
    { ...onTargets, id: 'test', name: 'Test', script: test },
    { ...onWorker, id: 'drain', name: 'Drain the old machines', script: drain },
    { id: 'deregister', name: 'Deregister the old machines', kind: 'deregister-machines', from: 'replaced' },
    { ...onWorker, id: 'destroy', name: 'Destroy the old machines', script: destroy },
  ],
} satisfies { steps: readonly (Partial<Process['steps'][number]> | object)[] }
