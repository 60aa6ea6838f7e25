/* Several carriers and several binds: who takes a message, and how its receipt comes back. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/engine/engine_fixture.h"

#define SMS CHANNEL_BIT(CHANNEL_SMS)

/* The rig's own road serves everybody with weight 0: it is asked only when no other is up. */
static void add(struct rig *rig, struct fake_channel *fake, const char *name, size_t window, const struct messages_route *terms)
{
	struct messages_route route = *terms;
	fake_init(fake, name, CHANNEL_SMS, window);
	route.channel = &fake->channel;
	assert_rc(rig->fixture, OK, messages_add_route(rig->house, &route, fixture_err(rig->fixture)));
	struct road *road = &rig->engine->roads[rig->engine->road_count - 1];
	assert_rc(rig->fixture, OK, channel_start(&fake->channel, &road_events, road, fixture_err(rig->fixture)));
}

static void turn_all(struct rig *rig, struct fake_channel *const *fakes, size_t count, int64_t notice, int64_t wanted)
{
	for (int i = 0; i < 400 && rig_count(rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED) < wanted; i++) {
		rig_turn(rig);
		for (size_t k = 0; k < count; k++)
			fake_accept_all(fakes[k]);
		rig_turn(rig);
	}
	assert_int_equal(rig_count(rig, notice, CHANNEL_SMS, MESSAGE_ACCEPTED), wanted);
	rig_check(rig);
}

/* Two carriers and three binds share; everyone gets one; a receipt finds its message by whatever bind of the carrier it comes, and by no
 * other carrier. */
static void test_share_and_receipts(void **state)
{
	struct rig rig;
	struct fake_channel a1, a2, b1;
	rig_init(&rig, *state);
	const struct messages_route a = { .carrier = S("alpha"), .receipts = true, .weight = 50, .prefixes = S("") };
	const struct messages_route b = { .carrier = S("beta"), .receipts = true, .weight = 50, .prefixes = S("") };
	add(&rig, &a1, "alpha/1", 40, &a);
	add(&rig, &a2, "alpha/2", 40, &a);
	add(&rig, &b1, "beta/1", 40, &b);
	rig_people(&rig, 1, 2000);
	int64_t notice = rig_send(&rig, 1, 1, 2000, SMS);
	turn_all(&rig, (struct fake_channel *[]){ &a1, &a2, &b1 }, 3, notice, 2000);
	assert_int_equal(a1.submitted + a2.submitted + b1.submitted, 2000);
	assert_int_equal(rig.sms.submitted, 0);
	assert_true(a1.submitted > 200 && a2.submitted > 200 && b1.submitted > 400);
	char id[40];
	snprintf(id, sizeof id, "%llX00", (unsigned long long)a1.messages[5].id);
	fake_receipt(&b1, id, a1.messages[5].to, CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 0);
	fake_receipt(&a2, id, a1.messages[5].to, CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 1);
	assert_int_equal(a2.tickets_stored, 1);
	/* And after a restart, when the ids are read from the rows. */
	rig_crash(&rig);
	a1.outstanding = a2.outstanding = b1.outstanding = 0;
	fake_release(&a1);
	fake_release(&b1);
	struct fake_message known = a2.messages[3];
	fake_release(&a2);
	rig_start(&rig);
	add(&rig, &a1, "alpha/1", 40, &a);
	rig_turn(&rig);
	snprintf(id, sizeof id, "%llX00", (unsigned long long)known.id);
	fake_receipt(&a1, id, known.to, CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 2);
	rig_check(&rig);
	rig_release(&rig);
	fake_release(&a1);
}

/* The longest prefix decides, then the price; one that is full is waited for and holds nobody else up. */
static void test_prefix_and_cost(void **state)
{
	struct rig rig;
	struct fake_channel near, cheap, dear;
	rig_init(&rig, *state);
	add(&rig, &near, "near/1", 10, &(struct messages_route){ .carrier = S("near"), .prefixes = S("+44 +15550000"), .cost = 900, .weight = 1 });
	add(&rig, &cheap, "cheap/1", 40, &(struct messages_route){ .carrier = S("cheap"), .prefixes = S(""), .cost = 100, .weight = 1 });
	add(&rig, &dear, "dear/1", 40, &(struct messages_route){ .carrier = S("dear"), .prefixes = S(""), .cost = 200, .weight = 1 });
	rig_people(&rig, 1, 1500);
	int64_t notice = rig_send(&rig, 1, 1, 1500, SMS);
	/* near answers nobody for now: its 999 wait, the others go. */
	for (int i = 0; i < 100 && cheap.submitted < 501; i++) {
		rig_turn(&rig);
		fake_accept_all(&cheap);
	}
	assert_int_equal(cheap.submitted, 501);
	assert_int_equal(near.submitted, 10);
	assert_int_equal(dear.submitted, 0);
	turn_all(&rig, (struct fake_channel *[]){ &near, &cheap, &dear }, 3, notice, 1500);
	assert_int_equal(near.submitted, 999);
	for (size_t i = 0; i < near.count; i++)
		assert_true(strncmp(near.messages[i].to, "+15550000", 9) == 0);
	/* The cheap one goes down: the dear one takes over at once, and gives back when it is up again. */
	fake_cut(&cheap);
	rig_people(&rig, 2001, 100);
	int64_t second = rig_send(&rig, 2, 2001, 100, SMS);
	turn_all(&rig, (struct fake_channel *[]){ &near, &cheap, &dear }, 3, second, 100);
	assert_int_equal(dear.submitted, 100);
	fake_up(&cheap);
	rig_people(&rig, 3001, 50);
	int64_t third = rig_send(&rig, 3, 3001, 50, SMS);
	turn_all(&rig, (struct fake_channel *[]){ &near, &cheap, &dear }, 3, third, 50);
	assert_int_equal(dear.submitted, 100);
	assert_int_equal(rig.sms.submitted, 0);
	rig_release(&rig);
	fake_release(&near);
	fake_release(&cheap);
	fake_release(&dear);
}

/* A carrier that does not keep up holds nobody up, even when more wait for it than memory holds. */
static void test_more_wait_than_memory_holds(void **state)
{
	struct rig rig;
	struct fake_channel near, far;
	rig_init(&rig, *state);
	fake_cut(&rig.sms);
	rig.engine->roads[0].route.receives_only = true; /* the rig's road is no way out here */
	add(&rig, &near, "near/1", 50, &(struct messages_route){ .carrier = S("near"), .prefixes = S("+1555000"), .weight = 1 });
	add(&rig, &far, "far/1", 40, &(struct messages_route){ .carrier = S("far"), .prefixes = S("+1555001 +1555002"), .weight = 1 });
	rig_people(&rig, 8000, 3000); /* 8000..9999 near, 10000..10999 far */
	int64_t notice = rig_send(&rig, 1, 8000, 3000, SMS);
	for (int i = 0; i < 300 && far.submitted < 1000; i++) {
		rig_turn(&rig);
		fake_accept_all(&far);
		usleep(20000); /* how many are looked at in vain is bounded by the second */
	}
	/* More wait for the one than are kept in memory; those look again in a minute, and the other is not held up. */
	assert_int_equal(far.submitted, 1000);
	assert_int_equal(near.submitted, 50);
	for (int minute = 0; minute < 5 && near.submitted < 2000; minute++) {
		for (int i = 0; i < 600 && near.submitted < 2000; i++) {
			size_t before = near.submitted;
			fake_accept_all(&near);
			rig_turn(&rig);
			if (near.submitted == before)
				break;
		}
		clock_set_offset(clock_offset() + 2 * CLOCK_MINUTE);
	}
	turn_all(&rig, (struct fake_channel *[]){ &near, &far }, 2, notice, 3000);
	assert_int_equal(near.submitted, 2000);
	rig_release(&rig);
	fake_release(&near);
	fake_release(&far);
}

/* What waits for a full carrier is superseded with its alert, and forgotten with its block. */
static void test_superseded_while_it_waits(void **state)
{
	struct rig rig;
	struct fake_channel near, far;
	rig_init(&rig, *state);
	add(&rig, &near, "near/1", 5, &(struct messages_route){ .carrier = S("near"), .prefixes = S("+1555000"), .weight = 1 });
	add(&rig, &far, "far/1", 40, &(struct messages_route){ .carrier = S("far"), .prefixes = S("+1555001"), .weight = 1 });
	rig_people(&rig, 1, 300);
	int64_t notice = rig_send(&rig, 1, 1, 300, SMS);
	rig_turn(&rig);
	assert_int_equal(near.submitted, 5);
	rig_supersede(&rig, 1);
	rig_turn(&rig);
	fake_accept_all(&near);
	for (int i = 0; i < 5; i++)
		rig_turn(&rig);
	assert_int_equal(near.submitted, 5);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_SUPERSEDED), 295);
	/* The receipts come, the block closes. */
	for (size_t i = 0; i < near.count; i++) {
		char id[40];
		snprintf(id, sizeof id, "%llX00", (unsigned long long)near.messages[i].id);
		fake_receipt(&near, id, near.messages[i].to, CHANNEL_DELIVERY_DELIVERED, "DELIVRD");
	}
	for (int i = 0; i < 5; i++)
		rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_DELIVERED), 5);
	rig_people(&rig, 1001, 50);
	int64_t second = rig_send(&rig, 2, 1001, 50, SMS);
	turn_all(&rig, (struct fake_channel *[]){ &near, &far }, 2, second, 50);
	rig_release(&rig);
	fake_release(&near);
	fake_release(&far);
}

/* A bind that is cut gives its messages to the others; what another bind owes stays in doubt and is not sent again. */
static void test_doubt_belongs_to_the_bind(void **state)
{
	struct rig rig;
	struct fake_channel a1, a2;
	rig_init(&rig, *state);
	const struct messages_route a = { .carrier = S("alpha"), .receipts = true, .weight = 50, .prefixes = S("") };
	add(&rig, &a1, "alpha/1", 10, &a);
	add(&rig, &a2, "alpha/2", 10, &a);
	rig_people(&rig, 1, 20);
	int64_t notice = rig_send(&rig, 1, 1, 20, SMS);
	rig_turn(&rig);
	assert_int_equal(a1.submitted, 10);
	assert_int_equal(a2.submitted, 10);
	fake_doubt(&a1, 0); /* the response timer ran out */
	fake_doubt(&a2, 0);
	rig_turn(&rig);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_IN_DOUBT), 2);
	for (size_t i = 1; i < 10; i++) {
		fake_accept(&a1, i, 0, "x");
		fake_accept(&a2, i, 0, "y");
	}
	rig_turn(&rig);
	assert_int_equal(a1.submitted + a2.submitted, 20);
	fake_cut(&a1);
	rig_turn(&rig);
	assert_int_equal(a2.submitted, 11);
	assert_string_equal(a2.messages[10].to, a1.messages[0].to);
	assert_int_equal(rig_count(&rig, notice, CHANNEL_SMS, MESSAGE_IN_DOUBT), 1);
	rig_check(&rig);
	rig_release(&rig);
	fake_release(&a1);
	fake_release(&a2);
}

/* Of a long message some parts were taken: the others go the same way, whatever else is cheaper; if that is down, all go another way. */
static void test_parts_stay_together(void **state)
{
	struct rig rig;
	struct fake_channel a, b;
	static char text[400];
	rig_init(&rig, *state);
	memset(text, 'x', sizeof text - 1);
	record.text = text;
	add(&rig, &a, "alpha/1", 10, &(struct messages_route){ .carrier = S("alpha"), .prefixes = S(""), .weight = 1, .cost = 1 });
	add(&rig, &b, "beta/1", 10, &(struct messages_route){ .carrier = S("beta"), .prefixes = S(""), .weight = 1, .cost = 5 });
	rig_people(&rig, 1, 1);
	int64_t notice = rig_send(&rig, 1, 1, 1, SMS);
	rig_turn(&rig);
	assert_int_equal(a.submitted, 1);
	assert_int_equal(a.messages[0].parts, 3);
	fake_accept(&a, 0, 0, "p0");
	fake_refuse(&a, 0, CHANNEL_FAULT_TEMPORARY, 8);
	fake_refuse(&a, 0, CHANNEL_FAULT_TEMPORARY, 8);
	rig_turn(&rig);
	clock_set_offset(clock_offset() + CLOCK_MINUTE);
	rig_turn(&rig);
	assert_int_equal(a.submitted, 2);
	assert_int_equal(a.messages[1].first_part, 1);
	assert_int_equal(a.messages[1].parts, 2);
	fake_accept(&a, 1, 1, "p1");
	fake_refuse(&a, 1, CHANNEL_FAULT_TEMPORARY, 8);
	rig_turn(&rig);
	fake_cut(&a);
	clock_set_offset(clock_offset() + 3 * CLOCK_MINUTE);
	rig_turn(&rig);
	assert_int_equal(b.submitted, 1);
	assert_int_equal(b.messages[0].first_part, 0);
	assert_int_equal(b.messages[0].parts, 3);
	turn_all(&rig, (struct fake_channel *[]){ &b }, 1, notice, 1);
	rig_release(&rig);
	fake_release(&a);
	fake_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_share_and_receipts),
		BOTH(test_prefix_and_cost),
		BOTH(test_more_wait_than_memory_holds),
		BOTH(test_superseded_while_it_waits),
		BOTH(test_doubt_belongs_to_the_bind),
		BOTH(test_parts_stay_together),
	};
	return fixture_main(tests);
}
