/** `remuda.MachineRegistered.v1` and `MachineRegistered` are the same kind. */
export const kindOf = (type: string): string => type.split('.').findLast((part) => /^[A-Z]/.test(part)) ?? type
