/* SPDX-License-Identifier: MIT */
/* newlib's headers include it; nothing here depends on the numbers that would stand in it. */
