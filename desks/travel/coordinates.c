/* Reading of coordinates as people write them. */
#include <math.h>

#include "desks/travel/where.h"

#define COORDINATES_TEXT_MAX 100

/* One sign of the simplified text: digits and '.', '-', ',' stand for themselves; 'd' 'm' 's' are the marks of degrees, minutes and
 * seconds; 'N' 'S' 'E' 'W'; ' ' separates. 0: nothing that coordinates are made of. */
static char simplify(uint32_t code)
{
	if ((code >= '0' && code <= '9') || code == '.' || code == '-' || code == ',')
		return (char)code;
	switch (code) {
	case 0x00b0: case 0x00ba: case 0x02da: return 'd';
	case '\'': case 0x2019: case 0x2032: case 0x00b4: return 'm';
	case '"': case 0x201d: case 0x2033: return 's';
	case 'N': case 'n': return 'N';
	case 'S': case 's': return 'S';
	case 'E': case 'e': return 'E';
	case 'W': case 'w': return 'W';
	case 0x2212: case 0x2013: return '-';
	case 0x066b: return '.';
	case 0x060c: return ',';
	case ' ': case '\t': case ';': case '/': case 0x061b: case 0x00a0: case '(': case ')': return ' ';
	default: return 0;
	}
}

static bool is_invisible(uint32_t code)
{
	return (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static bool simplify_all(struct arena *arena, struct str text, char *out, size_t *length)
{
	const struct str ascii = text_ascii_digits(arena, str_trim(text));
	size_t count = 0;

	if (!ascii.len || ascii.len > COORDINATES_TEXT_MAX || !utf8_valid(ascii))
		return false;
	for (size_t at = 0; at < ascii.len;) {
		const uint32_t code = utf8_next(ascii, &at);
		if (is_invisible(code))
			continue;
		const char sign = simplify(code);
		if (!sign)
			return false;
		out[count++] = sign;
	}
	out[count] = 0;
	*length = count;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "36,8 10,18": two numbers with decimal commas. Without a blank between, or with a point anywhere, commas separate. */
static void settle_commas(char *text, size_t length)
{
	size_t commas = 0, blanks = 0, other = 0;
	bool within = true;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == ',') {
			commas++;
			within = within && i > 0 && is_digit(text[i - 1]) && is_digit(text[i + 1]);
		} else if (text[i] == ' ') {
			blanks++;
		} else if (text[i] == '.') {
			other++;
		}
	}
	const bool decimal = commas == 2 && within && blanks > 0 && !other;
	for (size_t i = 0; i < length; i++)
		if (text[i] == ',')
			text[i] = decimal ? '.' : ' ';
}

struct coordinate {
	double degrees;
	char letter; /* 0: none */
	int parts;   /* degrees, minutes, seconds */
};

static bool read_number(const char *text, size_t *at, double *out, bool *whole)
{
	const size_t start = *at;
	while (is_digit(text[*at]) || text[*at] == '.')
		(*at)++;
	const struct str digits = { text + start, *at - start };
	*whole = str_find(digits, S("."), 0) == SIZE_MAX;
	return digits.len > 0 && is_digit(digits.ptr[0]) && str_to_double(digits, out);
}

static void skip_blanks(const char *text, size_t *at)
{
	while (text[*at] == ' ')
		(*at)++;
}

static bool is_letter(char c)
{
	return c == 'N' || c == 'S' || c == 'E' || c == 'W';
}

/* One coordinate at *at: [letter] [-] degrees [° minutes [' seconds [']]] [letter]. Minutes need the mark of degrees. */
static bool read_coordinate(const char *text, size_t *at, struct coordinate *out)
{
	static const char marks[] = "dms";
	struct coordinate result = { 0 };
	bool negative = false, whole = true;

	skip_blanks(text, at);
	if (is_letter(text[*at])) {
		result.letter = text[(*at)++];
		skip_blanks(text, at);
	}
	if (text[*at] == '-') {
		negative = true;
		(*at)++;
	}
	for (double unit = 1; result.parts < 3; unit *= 60) {
		size_t before = *at;
		double value;
		if (result.parts)
			skip_blanks(text, at);
		if (result.parts && !is_digit(text[*at])) {
			*at = before;
			break;
		}
		if (!whole || !read_number(text, at, &value, &whole) || (result.parts && value >= 60))
			return false;
		result.degrees += value / unit;
		if (text[*at] != marks[result.parts++])
			break;
		(*at)++;
	}
	size_t after = *at;
	skip_blanks(text, &after);
	if (!result.letter && is_letter(text[after])) {
		result.letter = text[after];
		*at = after + 1;
	}
	if (negative && result.letter)
		return false;
	if (negative || result.letter == 'S' || result.letter == 'W')
		result.degrees = -result.degrees;
	*out = result;
	return true;
}

static bool is_longitude(const struct coordinate *coordinate)
{
	return coordinate->letter == 'E' || coordinate->letter == 'W';
}

enum coordinates coordinates_read(struct arena *arena, struct str text, double *latitude, double *longitude)
{
	char simple[COORDINATES_TEXT_MAX + 1];
	struct coordinate first, second;
	size_t length, at = 0;

	if (!simplify_all(arena, text, simple, &length))
		return COORDINATES_NONE;
	settle_commas(simple, length);
	if (!read_coordinate(simple, &at, &first) || !read_coordinate(simple, &at, &second))
		return COORDINATES_NONE;
	skip_blanks(simple, &at);
	if (at != length || !!first.letter != !!second.letter || (first.letter && is_longitude(&first) == is_longitude(&second)))
		return COORDINATES_NONE;
	if (is_longitude(&first)) {
		const struct coordinate swapped = first;
		first = second;
		second = swapped;
	}
	if (!(fabs(first.degrees) <= 90) || !(fabs(second.degrees) <= 180))
		return COORDINATES_OUT_OF_RANGE;
	*latitude = first.degrees;
	*longitude = second.degrees;
	return COORDINATES_READ;
}
