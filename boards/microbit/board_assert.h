// SPDX-License-Identifier: MIT
/* board_assert.h: read before every file of this board. A broken rule of the program's own is a
 * fault, told by its address: names of files and numbers of lines would take flash. */
#ifndef __ASSEMBLER__
#define LK_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
_Noreturn void lk_assert_failed(const char *file, int line);
#endif
