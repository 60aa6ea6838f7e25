/* logfmt on standard error: one line an event, values quoted, line breaks and control bytes escaped.
 * Never log addresses, names, texts of people, tokens or queries with them: ids only. */
#ifndef CHANCERY_BASE_LOG_H
#define CHANCERY_BASE_LOG_H

#include "str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *key;
	struct str text;
	int64_t number;
	bool is_number;
};

#define LOGS(key, value) ((struct log_field){ (key), (value), 0, false })
#define LOGC(key, value) ((struct log_field){ (key), str_from(value), 0, false })
#define LOGI(key, value) ((struct log_field){ (key), { NULL, 0 }, (int64_t)(value), true })

/* Writes "ts=... level=... event=NAME key=value ..."; one write(2) of at most 8192 bytes, so lines of threads do not mix;
 * a longer line is cut and ends with truncated=true. STR_NONE is written null. errno is kept. */
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count);
/* Lines below this level are dropped (default LOG_INFO). */
void log_set_level(enum log_level level);

#define LOG_(level, event, ...)                                                                                 \
	log_write(level, event, (const struct log_field[]){ { NULL, { NULL, 0 }, 0, false }, ##__VA_ARGS__ } + 1, \
	          sizeof((const struct log_field[]){ { NULL, { NULL, 0 }, 0, false }, ##__VA_ARGS__ }) / sizeof(struct log_field) - 1)
#define log_debug(event, ...) LOG_(LOG_DEBUG, event, ##__VA_ARGS__)
#define log_info(event, ...) LOG_(LOG_INFO, event, ##__VA_ARGS__)
#define log_warn(event, ...) LOG_(LOG_WARN, event, ##__VA_ARGS__)
#define log_error(event, ...) LOG_(LOG_ERROR, event, ##__VA_ARGS__)

#endif
