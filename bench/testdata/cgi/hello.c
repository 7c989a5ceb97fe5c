#include <stdio.h>

int main(void) {
	puts("Content-Type: text/plain\n\nHello, world!");
	return 0;
}
