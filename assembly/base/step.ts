// What a step function returns; a negative value is a negated status.

/** There is more to do. */
export const MORE: i32 = 1;
/** All is done. */
export const DONE: i32 = 0;
