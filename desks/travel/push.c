/* Subscribing a browser to alerts. What a browser sends is checked like any address: only the services we know are ever called. */
#include <jansson.h>

#include "desks/travel/push.h"
#include "desks/travel/my.h"
#include "desks/travel/respond.h"
#include "kernel/html/assets.h"
#include "kernel/push/push.h"

#define SCRIPT "push.js"
#define WORKER "push-worker.js"
#define RENEW_BODY_MAX 8192

static struct str value(const struct request *request, const char *name)
{
	const struct str text = request_form(request, name);
	return str_is_none(text) ? S("") : str_trim(text);
}

void push_offer_fill(struct request *request, const struct person *person, struct page *page, struct push_offer *out)
{
	const struct str key = push_public_key(request->house);
	struct buf known;

	*out = (struct push_offer){ .key = S(""),
		                    .known = S(""),
		                    .endpoint = value(request, "push_endpoint"),
		                    .point = value(request, "push_point"),
		                    .secret = value(request, "push_secret") };
	if (str_is_none(key))
		return;
	out->key = key;
	page->script = SCRIPT;
	page->app = true;
	buf_init(&known);
	for (size_t i = 0; person && i < person->contact_count; i++) {
		const struct contact *contact = &person->contacts[i];
		if (contact->channel != CHANNEL_PUSH || contact->ended || contact->opted_out)
			continue;
		const size_t from = contact->address.len > PUSH_KNOWN_END ? contact->address.len - PUSH_KNOWN_END : 0;
		buf_format(&known, "%s%.*s", known.len ? " " : "", STR_ARG(str_slice(contact->address, from, contact->address.len)));
	}
	out->known = str_copy(request->arena, buf_str(&known));
	buf_release(&known);
}

/* Is it one that we may post to, with keys that are keys? */
static enum rc check(struct request *request, const struct push_subscription *subscription, struct err *err)
{
	const struct push_policy policy = push_policy_of(request->house, request->arena);
	struct push_endpoint endpoint;
	struct push_keys keys;

	if (str_is_none(push_public_key(request->house)))
		return INVALID;
	enum rc rc = push_endpoint_read(request->arena, subscription->endpoint, &policy, &endpoint, err);
	return rc == OK ? push_keys_read(subscription->point, subscription->secret, &keys, err) : rc;
}

enum rc push_form_read(struct request *request, struct push_subscription *out, bool *given, struct err *err)
{
	const struct push_subscription subscription = { value(request, "push_endpoint"), value(request, "push_point"), value(request, "push_secret") };

	*given = subscription.endpoint.len > 0;
	if (!*given)
		return OK;
	enum rc rc = check(request, &subscription, err);
	if (rc == OK)
		*out = subscription;
	return rc == INVALID ? err_field(err, S("push_button"), MSG_travel_push_refused, STR_NONE, STR_NONE) : rc;
}

/* --- on the person's page ------------------------------------------------------------------------------------------ */

struct push_work {
	struct request *request;
	struct push_subscription subscription;
	struct str old;
};

static enum rc push_write(struct db_tx *tx, void *context, struct err *err)
{
	struct push_work *work = context;
	struct person person;
	int64_t contact_id;

	enum rc rc = my_find(tx, work->request, &person, err);
	if (rc == OK)
		rc = push_subscription_add(tx, work->request->arena, person.id, &work->subscription, S("push_button"), work->request->now, &contact_id, err);
	return rc;
}

void my_push_post(struct request *request, struct response *response)
{
	struct push_work work = { .request = request };
	bool given = false;
	struct err err;

	err_init(&err, request->arena);
	enum rc rc = push_form_read(request, &work.subscription, &given, &err);
	if (rc == OK && given)
		rc = db_write(request->house->db, DB_LANE_PERSON, push_write, &work, &err);
	if (rc == OK && given)
		my_done(request, response, "push");
	else if (err.field_count || !given)
		my_show(request, response, &err, 422);
	else
		my_refuse(request, response, rc, &err);
}

/* --- a browser that changed its subscription by itself ------------------------------------------------------------- */

static struct str member(struct arena *arena, const json_t *root, const char *name)
{
	const json_t *item = json_object_get(root, name);
	return json_is_string(item) ? str_copy(arena, (struct str){ json_string_value(item), json_string_length(item) }) : S("");
}

static enum rc renew_write(struct db_tx *tx, void *context, struct err *err)
{
	struct push_work *work = context;
	return push_subscription_replace(tx, work->old, &work->subscription, work->request->now, err);
}

/* The old endpoint is as secret as a link of ours: knowing it is the proof. */
void push_renew_post(struct request *request, struct response *response)
{
	struct push_work work = { .request = request };
	struct err err;
	enum rc rc = INVALID;

	err_init(&err, request->arena);
	json_t *root = request->body.len <= RENEW_BODY_MAX ? json_loadb(request->body.ptr, request->body.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (root) {
		work.old = member(request->arena, root, "old");
		work.subscription = (struct push_subscription){ member(request->arena, root, "endpoint"), member(request->arena, root, "point"),
			                                        member(request->arena, root, "secret") };
		rc = work.old.len ? check(request, &work.subscription, &err) : INVALID;
	}
	json_decref(root);
	if (rc == OK)
		rc = db_write(request->house->db, DB_LANE_PERSON, renew_write, &work, &err);
	if (rc == OK)
		response->status = 204;
	else
		respond_error(request, response, rc, &err);
}

/* --- the service worker -------------------------------------------------------------------------------------------- */

/* It must stand at the root, for a worker rules the pages below its own address. */
void push_worker_get(struct request *request, struct response *response)
{
	const char *path = asset_path(WORKER);
	const struct asset *asset = path ? asset_find(str_from(path)) : NULL;

	if (!asset) {
		response_problem(request, response, PROBLEM_NOT_FOUND, NULL);
		return;
	}
	response->content_type = str_from(asset->content_type);
	response->cacheable = true;
	buf_add(&response->body, asset->bytes, asset->size);
}
