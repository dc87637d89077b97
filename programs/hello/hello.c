/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	printf("hello, world; this is %s", argv[0]);
	for (int i = 1; i < argc; i++)
		printf(" %s", argv[i]);
	printf(".\nThe square root of 2 is %.15f, and 100 factorial is %.6e.\n", sqrt(2),
	       tgamma(101));
	return 0;
}
