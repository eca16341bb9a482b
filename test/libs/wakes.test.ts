import { describe, expect, it } from 'vitest'
import { Wakes } from '#libs/wakes.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Wakes whose looks last until the test lets them end. */
function watched(inHandMax?: number) {
  const looks: string[] = []
  const ends: (() => void)[] = []
  const wakes = new Wakes<string>((id, why) => {
    looks.push(`${id}:${why}`)
    return new Promise((resolve) => ends.push(resolve))
  }, inHandMax)
  const endOne = async () => {
    ends.shift()!()
    await turn()
  }
  return { wakes, looks, endOne }
}

describe('those who are woken', () => {
  it('look when there is life, and not before', async () => {
    const { wakes, looks } = watched()
    wakes.wake('a', 'first')
    await turn()
    expect(looks).toEqual([])
    wakes.goLive()
    await turn()
    expect(looks).toEqual(['a:first'])
  })
  it('look once for all that wakes them in one turn, and know the latest reason', async () => {
    const { wakes, looks } = watched()
    wakes.goLive()
    for (const why of ['one', 'two', null]) wakes.wake('a', why)
    wakes.wake('b', null)
    await turn()
    expect(looks).toEqual(['a:two', 'b:null'])
  })
  it('look again after a look in which they were woken, never at the same time', async () => {
    const { wakes, looks, endOne } = watched()
    wakes.goLive()
    wakes.wake('a', 'one')
    await turn()
    wakes.wake('a', 'two')
    wakes.wake('a', 'three')
    await turn()
    expect(looks).toEqual(['a:one'])
    await endOne()
    expect(looks).toEqual(['a:one', 'a:three'])
    await endOne()
    expect(looks).toHaveLength(2)
  })
  it('wait when too many look already', async () => {
    const { wakes, looks, endOne } = watched(2)
    wakes.goLive()
    for (const id of ['a', 'b', 'c']) wakes.wake(id, 'x')
    await turn()
    expect(looks).toEqual(['a:x', 'b:x'])
    await endOne()
    expect(looks).toEqual(['a:x', 'b:x', 'c:x'])
  })
  it('begin no look any more at rest, and end those that they have begun', async () => {
    const { wakes, looks, endOne } = watched()
    wakes.goLive()
    wakes.wake('a', 'x')
    await turn()
    let isResting = false
    const rest = wakes.rest().then(() => (isResting = true))
    wakes.wake('b', 'x')
    await turn()
    expect(isResting).toBe(false)
    await endOne()
    await rest
    expect(looks).toEqual(['a:x'])
  })
})
