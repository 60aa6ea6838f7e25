/* What the room's pages show. Private to core/messages. */
#ifndef CHANCERY_CORE_MESSAGES_VIEWS_H
#define CHANCERY_CORE_MESSAGES_VIEWS_H

#include "core/messages/messages.h"
#include "kernel/html/html.h"

struct inbox_line {
	struct str public_id, excerpt, owner;
	int64_t received_at;
	enum msg why, channel;
	bool urgent;
};

struct inbox_view {
	struct page page;
	const struct inbox_line *lines;
	size_t count;
	bool closed, has_newer, has_older;
	int64_t newer, older; /* page numbers */
};

struct action_line {
	enum msg what;
	struct str name, note;
	int64_t at;
	bool undone;
};

struct item_view {
	struct page page;
	struct str public_id, address, recipient, subject, body, owner, outcome, person, person_name, answer;
	int64_t received_at, owned_at, owner_id; /* owner_id 0: nobody */
	enum msg channel, why, state;
	bool urgent, waits, mine, address_shown, can_answer, can_undo, is_mail;
	const struct action_line *actions;
	size_t action_count;
	const struct inbox_line *same;
	size_t same_count;
	/* the forms, filled */
	const struct choice *candidates; /* who has the address; the last one is 'another' */
	size_t candidate_count;
	const struct choice *says;
	struct str other_person, alert, text, close_outcome;
	bool close_with_answer;
};

struct lookup_line {
	enum msg channel, state, reason; /* reason MSG_none: none */
	int64_t message, attempts, created_at, not_before, submitted_at, accepted_at, ended_at; /* times: negative none */
	bool single, maybe_twice, waits, exercise;
	struct str carrier, carrier_id, carrier_status;
	int64_t status_code;
};

struct lookup_view {
	struct page page;
	struct str person, name;
	bool asked;
	const struct lookup_line *lines;
	size_t count;
};

struct held_line {
	int64_t notice, frozen_at, queued;
	bool exercise;
};

struct lane_line {
	enum msg lane;
	int64_t mail, sms, push;
};

struct delivery_view {
	struct page page;
	struct messages_figures figures;
	const struct lane_line *lanes;
	size_t lane_count;
	const struct held_line *held;
	size_t held_count;
	bool may_act;
};

/* Keys of the catalogue for what is stored as a number. */
enum msg channel_key(int64_t channel);
enum msg why_key(int64_t why);
enum msg state_key(int64_t state);
enum msg reason_key(int64_t reason);

/* What of an address an officer sees before asking for it: enough to recognise, not to use. */
struct str address_masked(struct arena *arena, struct str address);

struct request;
struct response;
void inbox_get(struct request *request, struct response *response);
void inbox_item_get(struct request *request, struct response *response);
void inbox_item_post(struct request *request, struct response *response);
void lookup_get(struct request *request, struct response *response);
void delivery_get(struct request *request, struct response *response);
void delivery_post(struct request *request, struct response *response);

#endif
