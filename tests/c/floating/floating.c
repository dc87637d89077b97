/* SPDX-License-Identifier: MIT */
/*
 * floating START: a long calculation that keeps as many numbers in the FPU's registers as there
 * are, rounding in a direction that depends on START. Each number of it depends on the one before,
 * and the map is chaotic: one wrong bit changes the result.
 */
#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	static const int directions[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
	if (argc < 2)
		return 1;
	double start = strtod(argv[1], NULL);
	int direction = directions[(int)(start * 10) % 4];
	fesetround(direction);
	double a = start, b = start / 2, c = start / 3, d = start / 4, e = start / 5, f = start / 6;
	for (int i = 0; i < 600000; i++) {
		a = 3.9 * a * (1 - a);
		b = 3.8 * b * (1 - b);
		c = 3.7 * c * (1 - c);
		d = 3.99 * d * (1 - d);
		e = 3.95 * e * (1 - e);
		f = 3.85 * f * (1 - f);
	}
	printf("floating %s: %a %a %a %a %a %a, %s\n", argv[1], a, b, c, d, e, f,
	       fegetround() == direction ? "rounds as it did" : "ROUNDS OTHERWISE");
	return fegetround() != direction;
}
