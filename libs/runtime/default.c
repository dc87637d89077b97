/* SPDX-License-Identifier: MIT */
/* For programs that are no service: an empty table. */
#include "service.h"

service_operation *const service_operations[1] __attribute__((weak)) = {0};
const uint32_t service_operation_count __attribute__((weak)) = 0;

static const char *const names[] = {"none",
#define ERROR_TEXT(number, name, text) [number] = #name,
				    ERRORS(ERROR_TEXT)
#undef ERROR_TEXT
};
const char *error_name(uint32_t error)
{
	return error < ERRORS_END ? names[error] : "?";
}
