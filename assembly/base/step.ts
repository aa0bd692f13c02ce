// What a piece of work answers; a negative answer is a negated status.

/** There is more to do. */
export const MORE: i32 = 1;
/** That was the last piece. */
export const DONE: i32 = 0;
