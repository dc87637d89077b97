/* SPDX-License-Identifier: MIT */
#include "text.h"
#include "serial/serial.h"
#include "teletype.h"

uint32_t console_slot, screen_slot;

void *memcpy(void *to, const void *from, size_t bytes)
{
	void *at = to;
	size_t words = bytes / 4;
	asm volatile("rep movsl\n\tmov %3, %2\n\trep movsb"
		     : "+D"(at), "+S"(from), "+c"(words)
		     : "r"(bytes % 4)
		     : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	if ((uintptr_t)to - (uintptr_t)from >= bytes)
		return memcpy(to, from, bytes);
	for (uint8_t *t = to; bytes--;)
		t[bytes] = ((const uint8_t *)from)[bytes];
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	void *at = to;
	asm volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const uint8_t *x = a, *y = b;
	for (size_t i = 0; i < bytes; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;
	while (text[length])
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (uint8_t)*a - (uint8_t)*b;
}

struct output {
	char *to;
	size_t bytes, length;
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->bytes)
		out->to[out->length++] = c;
}

static void put_padded(struct output *out, const char *text, size_t length, size_t width, char pad,
		       int left)
{
	for (size_t i = length; !left && i < width; i++)
		put(out, pad);
	for (size_t i = 0; i < length; i++)
		put(out, text[i]);
	for (size_t i = length; left && i < width; i++)
		put(out, ' ');
}

static size_t digits(char *to, uint64_t value, uint32_t base)
{
	char reversed[20];
	size_t length = 0;
	do
		reversed[length++] = "0123456789abcdef"[value % base];
	while (value /= base);
	for (size_t i = 0; i < length; i++)
		to[i] = reversed[length - 1 - i];
	return length;
}

static const char *convert(struct output *out, const char *how, va_list *list)
{
	size_t width = 0, length = 0, most = SIZE_MAX;
	int left = *how == '-', wide = 0;
	how += left;
	char pad = *how == '0' ? '0' : ' ', number[22];
	for (; *how >= '0' && *how <= '9'; how++)
		width = width * 10 + (*how - '0');
	if (*how == '.')
		for (most = 0, how++; *how >= '0' && *how <= '9'; how++)
			most = most * 10 + (*how - '0');
	for (; *how == 'l' || *how == 'z'; how++)
		wide += *how == 'l';
	if (!*how)
		return how;
	if (*how == 's') {
		const char *text = va_arg(*list, const char *);
		while (length < most && text[length])
			length++;
		put_padded(out, text, length, width, ' ', left);
		return how + 1;
	}
	if (*how == 'c' || *how == '%') {
		number[length++] = *how == 'c' ? va_arg(*list, int) : '%';
	} else {
		uint64_t value = wide > 1 ? va_arg(*list, uint64_t) : va_arg(*list, uint32_t);
		if (*how == 'd' && (wide > 1 ? (int64_t)value < 0 : (int32_t)value < 0)) {
			value = wide > 1 ? -value : -(uint32_t)value;
			if (pad == '0') { /* before the zeros */
				put(out, '-');
				width -= width > 0;
			} else {
				number[length++] = '-';
			}
		}
		length += digits(number + length, value, *how == 'x' ? 16 : 10);
	}
	put_padded(out, number, length, width, pad, left);
	return how + 1;
}

size_t format_list(char *to, size_t bytes, const char *how, va_list list)
{
	struct output out = {to, bytes, 0};
	va_list copy;
	va_copy(copy, list);
	while (*how)
		if (*how == '%')
			how = convert(&out, how + 1, &copy);
		else
			put(&out, *how++);
	va_end(copy);
	if (bytes)
		to[out.length] = 0;
	return out.length;
}

size_t format(char *to, size_t bytes, const char *how, ...)
{
	va_list list;
	va_start(list, how);
	size_t length = format_list(to, bytes, how, list);
	va_end(list);
	return length;
}

/* Others write there, too: what they print goes on where this ends. */
static void screen_print(const char *text, size_t length)
{
	static struct teletype screen;
	slot_t door = slot(screen_slot);
	if (screen.door.encoded != door.encoded) {
		teletype_begin(&screen, door);
		screen.is_shared = 1;
	}
	teletype_write(&screen, text, length);
}

void print(const char *how, ...)
{
	char line[256];
	va_list list;
	va_start(list, how);
	size_t length = format_list(line, sizeof(line), how, list);
	va_end(list);
	if (console_slot)
		serial_write(slot(console_slot), length, line);
	if (screen_slot)
		screen_print(line, length);
}
