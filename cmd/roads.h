/* The roads out, made from the settings and the carriers. */
#ifndef CHANCERY_CMD_ROADS_H
#define CHANCERY_CMD_ROADS_H

#include "core/messages/channel.h"
#include "kernel/desk/desk.h"

extern const struct desk roads_desk; /* the settings smtp.* and smpp.* */

#define ROADS_MAX 128

struct roads {
	struct channel *channels[ROADS_MAX];
	size_t count;
};
/* Makes the channels that the settings and the carriers name and adds them to the engine; after house_start, before messages_serve. Whatever it returns,
 * roads_close after the house was freed. INVALID for a setting that cannot be. */
enum rc roads_open(struct house *house, struct roads *roads, struct err *err);
void roads_close(struct roads *roads);

#endif
