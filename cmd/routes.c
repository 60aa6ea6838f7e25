/* `chancery routes`: what the program answers to, from the desks' tables. Tests walk this list, so that no page is forgotten. */
#include <stdio.h>

#include "cmd/cmd.h"

static const char *const permission_names[] = {
	[PERMIT_ANYONE] = "anyone",   [PERMIT_READER] = "reader",   [PERMIT_OFFICER] = "officer",
	[PERMIT_ADMINISTRATOR] = "administrator", [PERMIT_PRIVATE] = "private",
};

/* Paths and summaries are this program's own constants: quotes and backslashes would be escaped for nothing. */
static void
route_print(const struct desk *desk, const struct route *route, bool json)
{
	const char *method = route->method == METHOD_GET ? "GET" : "POST";
	const char *permission = permission_names[route->permission];

	if (json)
		printf("{\"desk\":\"%s\",\"method\":\"%s\",\"path\":\"%s\",\"permission\":\"%s\",\"summary\":\"%s\"}\n", desk->name, method,
		       route->path, permission, route->summary);
	else
		printf("%-4s %-40s %-13s %s\n", method, route->path, permission, route->summary);
}

int
command_routes(struct command_line *line)
{
	if (line->argc != 1)
		return command_usage(line, "it takes no words");
	for (size_t i = 0; i < desk_count; i++)
		for (size_t j = 0; j < desks[i]->route_count; j++)
			route_print(desks[i], &desks[i]->routes[j], line->json);
	return 0;
}
