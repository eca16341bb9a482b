/** A store's URL as people and logs may see it. */
export const withoutPassword = (url: string): string =>
  url.replace(/^([\w+]+:\/\/[^:@/?]*):[^?]*@/, '$1@').replace(/([?&]password=)[^&]*/g, '$1...')
