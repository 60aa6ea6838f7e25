/* Ids of carriers as keys. See smpp_id_keys. */
#include "kernel/smpp/smpp.h"

/* Stored values depend on this: FNV-1a with a final mix, which must never change. */
static uint64_t key_of(const char *text, size_t length)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < length; i++)
		h = (h ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	return h ? h : 1;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 16;
}

/* Reads all of the text as a number of that base below 2^128. */
static bool read_number(const char *text, size_t length, unsigned base, unsigned __int128 *out)
{
	unsigned __int128 value = 0;
	const unsigned __int128 most = ~(unsigned __int128)0;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)digit_of(text[i]);
		if (digit >= base || value > (most - digit) / base)
			return false;
		value = value * base + digit;
	}
	*out = value;
	return length > 0;
}

static uint64_t key_of_number(unsigned __int128 value, unsigned base)
{
	char text[40];
	size_t at = sizeof text;
	do {
		text[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	return key_of(text + at, sizeof text - at);
}

size_t smpp_id_keys(struct str id, uint64_t keys[SMPP_ID_KEYS])
{
	char folded[SMPP_MESSAGE_ID_MAX];
	id = str_trim(id);
	if (id.len == 0 || id.len > sizeof folded)
		return 0;
	size_t start = 0;
	if (id.len > 2 && id.ptr[0] == '0' && (id.ptr[1] | 0x20) == 'x')
		start = 2;
	while (start + 1 < id.len && id.ptr[start] == '0')
		start++;
	size_t length = id.len - start;
	for (size_t i = 0; i < length; i++) {
		char c = id.ptr[start + i];
		folded[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	size_t count = 0;
	keys[count++] = key_of(folded, length);
	unsigned __int128 value;
	uint64_t key;
	if (read_number(folded, length, 10, &value) && (key = key_of_number(value, 16)) != keys[0])
		keys[count++] = key;
	if (read_number(folded, length, 16, &value) && (key = key_of_number(value, 10)) != keys[0])
		keys[count++] = key;
	return count;
}
