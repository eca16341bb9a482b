export const keepMin = 2
export const keepMax = 100
