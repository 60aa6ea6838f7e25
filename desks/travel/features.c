/* Cutting features out of a FeatureCollection. Only the frame is understood here: braces, brackets, texts. What is between the braces of a
 * feature is read by a JSON parser behind. */
#include <errno.h>
#include <unistd.h>

#include "desks/travel/features.h"

#define FRAME_DEPTH_MAX 64 /* nesting of what stands beside "features" */

void features_init(struct features *features, int file)
{
	features->file = file;
	features->line = 0;
	features->here = 1;
	features->state = FEATURES_BEFORE;
	features->failed = 0;
	features->at = features->size = 0;
	buf_init(&features->text);
}

void features_release(struct features *features)
{
	buf_release(&features->text);
}

static int next_byte(struct features *features)
{
	if (features->at == features->size) {
		ssize_t got;
		do
			got = read(features->file, features->chunk, sizeof features->chunk);
		while (got < 0 && errno == EINTR);
		features->failed = got < 0 ? errno : features->failed;
		features->size = got > 0 ? (size_t)got : 0;
		features->at = 0;
		if (!features->size)
			return -1;
	}
	const int byte = (unsigned char)features->chunk[features->at++];
	features->here += byte == '\n';
	return byte;
}

static bool is_blank(int byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static int next_solid(struct features *features)
{
	int byte;
	do
		byte = next_byte(features);
	while (is_blank(byte));
	return byte;
}

static enum rc broken(struct features *features, const char *what, struct err *err)
{
	features->state = FEATURES_BEHIND;
	if (features->failed)
		return err_set(err, FAILED, "reading failed: %s", strerror(features->failed));
	return err_set(err, CONFLICT, "line %lld: %s", (long long)features->here, what);
}

/* Reads to the end of a text whose first quote is behind us; true if it is exactly `wanted`. False at the end of the file too. */
static bool read_text(struct features *features, const char *wanted)
{
	const size_t length = strlen(wanted);
	size_t count = 0;
	bool same = true;
	for (int byte; (byte = next_byte(features)) >= 0; count++) {
		if (byte == '"')
			return same && count == length;
		same = same && count < length && byte == wanted[count];
		if (byte == '\\' && next_byte(features) < 0)
			return false;
	}
	return false;
}

/* To the '[' behind the top member "features". */
static enum rc find_collection(struct features *features, struct err *err)
{
	int depth = 0;
	bool name = false; /* a text here is a member's name */

	int byte = next_solid(features);
	if (byte == 0xef && next_byte(features) == 0xbb && next_byte(features) == 0xbf)
		byte = next_solid(features);
	if (byte != '{')
		return broken(features, "this is no GeoJSON FeatureCollection", err);
	for (depth = 1, name = true; (byte = next_solid(features)) >= 0;) {
		if (byte == '"') {
			const bool found = read_text(features, "features") && name && depth == 1;
			name = false;
			if (!found)
				continue;
			if (next_solid(features) != ':' || next_solid(features) != '[')
				return broken(features, "\"features\" is no list", err);
			features->state = FEATURES_WITHIN;
			return OK;
		}
		if (byte == '{' || byte == '[')
			depth++;
		if (byte == '}' || byte == ']')
			depth--;
		name = (byte == ',' && depth == 1) || (byte == '{' && depth == 1);
		if (depth <= 0 || depth > FRAME_DEPTH_MAX)
			break;
	}
	return broken(features, "this is no GeoJSON FeatureCollection", err);
}

/* The feature whose first brace is behind us. */
static enum rc cut_feature(struct features *features, struct err *err)
{
	bool quoted = false, too_long = false;
	int depth = 1;

	features->line = features->here;
	features->text.len = 0;
	buf_add_char(&features->text, '{');
	while (depth > 0) {
		int byte = next_byte(features);
		if (byte < 0)
			return broken(features, "the file breaks off within a feature", err);
		too_long = too_long || features->text.len + 2 > FEATURE_MAX;
		if (!too_long)
			buf_add_char(&features->text, (char)byte);
		if (quoted && byte == '\\') {
			byte = next_byte(features);
			if (byte < 0)
				return broken(features, "the file breaks off within a feature", err);
			if (!too_long)
				buf_add_char(&features->text, (char)byte);
			continue;
		}
		if (byte == '"')
			quoted = !quoted;
		else if (!quoted && (byte == '{' || byte == '['))
			depth++;
		else if (!quoted && (byte == '}' || byte == ']'))
			depth--;
	}
	return too_long ? err_set(err, INVALID, "a feature is longer than %d bytes", FEATURE_MAX) : OK;
}

enum rc features_next(struct features *features, struct err *err)
{
	if (features->state == FEATURES_BEFORE) {
		enum rc rc = find_collection(features, err);
		if (rc != OK)
			return rc;
	}
	if (features->state == FEATURES_BEHIND)
		return NOT_FOUND;
	int byte = next_solid(features);
	if (byte == ',' && features->line)
		byte = next_solid(features);
	if (byte == '{')
		return cut_feature(features, err);
	if (byte != ']')
		return broken(features, byte < 0 ? "the file breaks off within the list of features" : "a feature must begin with '{'", err);
	features->state = FEATURES_BEHIND;
	return NOT_FOUND;
}
