#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/messages/state.h"

/* The whole table again, written by what should be, one line a transition; everything not named is illegal. A state that
 * an event does not change is written as itself. */
struct expected {
	enum message_state from;
	enum message_event event;
	enum message_state to;
};

#define Q MESSAGE_QUEUED
#define S_ MESSAGE_SUBMITTED
#define A MESSAGE_ACCEPTED
#define D MESSAGE_DELIVERED
#define F MESSAGE_FAILED
#define I MESSAGE_IN_DOUBT
#define E MESSAGE_EXPIRED
#define P MESSAGE_SUPERSEDED
#define N MESSAGE_NOT_SENT

static const struct expected expected[] = {
	/* the way of every message */
	{ Q, EVENT_SUBMIT, S_ }, { S_, EVENT_ACCEPT, A }, { A, EVENT_DELIVER, D },
	/* refused for now, refused for good, lost sight of, sent again */
	{ S_, EVENT_LATER, Q }, { S_, EVENT_REFUSE, F }, { S_, EVENT_DOUBT, I }, { I, EVENT_SUBMIT, S_ },
	/* the first copy's answer comes late: to the doubt */
	{ I, EVENT_ACCEPT, A }, { I, EVENT_LATER, Q }, { I, EVENT_REFUSE, F }, { I, EVENT_DOUBT, I },
	/* ... or to whatever it became meanwhile */
	{ Q, EVENT_ACCEPT, A }, { A, EVENT_ACCEPT, A }, { D, EVENT_ACCEPT, D }, { F, EVENT_ACCEPT, A }, { E, EVENT_ACCEPT, A },
	{ P, EVENT_ACCEPT, A }, { N, EVENT_ACCEPT, A },
	/* the second copy's bad end does not undo the first one's good one */
	{ A, EVENT_LATER, A }, { A, EVENT_REFUSE, A }, { A, EVENT_DOUBT, A }, { D, EVENT_LATER, D }, { D, EVENT_REFUSE, D },
	{ D, EVENT_DOUBT, D },
	/* answers to what ended stay without effect */
	{ F, EVENT_LATER, F }, { F, EVENT_REFUSE, F }, { F, EVENT_DOUBT, F }, { E, EVENT_LATER, E }, { E, EVENT_REFUSE, E },
	{ E, EVENT_DOUBT, E }, { P, EVENT_LATER, P }, { P, EVENT_REFUSE, P }, { P, EVENT_DOUBT, P }, { N, EVENT_LATER, N },
	{ N, EVENT_REFUSE, N }, { N, EVENT_DOUBT, N },
	/* receipts: 'delivered' wins over everything */
	{ Q, EVENT_DELIVER, D }, { S_, EVENT_DELIVER, D }, { D, EVENT_DELIVER, D }, { F, EVENT_DELIVER, D }, { I, EVENT_DELIVER, D },
	{ E, EVENT_DELIVER, D }, { P, EVENT_DELIVER, D }, { N, EVENT_DELIVER, D },
	/* a bad one counts for an accepted message alone: else another copy is on its way, or it has ended */
	{ A, EVENT_RECEIPT_FAIL, F }, { A, EVENT_RECEIPT_EXPIRE, E },
	{ Q, EVENT_RECEIPT_FAIL, Q }, { Q, EVENT_RECEIPT_EXPIRE, Q }, { S_, EVENT_RECEIPT_FAIL, S_ }, { S_, EVENT_RECEIPT_EXPIRE, S_ },
	{ I, EVENT_RECEIPT_FAIL, I }, { I, EVENT_RECEIPT_EXPIRE, I }, { D, EVENT_RECEIPT_FAIL, D }, { D, EVENT_RECEIPT_EXPIRE, D },
	{ F, EVENT_RECEIPT_FAIL, F }, { F, EVENT_RECEIPT_EXPIRE, F }, { E, EVENT_RECEIPT_FAIL, E }, { E, EVENT_RECEIPT_EXPIRE, E },
	{ P, EVENT_RECEIPT_FAIL, P }, { P, EVENT_RECEIPT_EXPIRE, P }, { N, EVENT_RECEIPT_FAIL, N }, { N, EVENT_RECEIPT_EXPIRE, N },
	/* ended by ourselves, before it left */
	{ Q, EVENT_EXPIRE, E }, { Q, EVENT_SUPERSEDE, P }, { Q, EVENT_WITHHOLD, N },
	/* in doubt: it may have arrived, so it is not called superseded; its time runs out */
	{ I, EVENT_EXPIRE, E }, { I, EVENT_SUPERSEDE, I },
};

static const struct expected *find(int from, int event)
{
	for (size_t i = 0; i < COUNT_OF(expected); i++)
		if ((int)expected[i].from == from && (int)expected[i].event == event)
			return &expected[i];
	return NULL;
}

static void every_transition(void **state)
{
	(void)state;
	for (int from = 0; from < MESSAGE_STATE_COUNT; from++)
		for (int event = 0; event < EVENT_COUNT; event++) {
			const struct expected *wanted = find(from, event);
			enum message_state next = MESSAGE_WAS_IN_DOUBT; /* untouched when refused */
			bool legal = message_next((enum message_state)from, (enum message_event)event, &next);
			if (legal != (wanted != NULL) || next != (wanted ? wanted->to : MESSAGE_WAS_IN_DOUBT))
				fail_msg("%s, event %d: legal %d, next %d", message_state_name((enum message_state)from), event, legal,
				         (int)next);
		}
}

static void out_of_range(void **state)
{
	(void)state;
	enum message_state next = MESSAGE_QUEUED;
	assert_false(message_next((enum message_state)-1, EVENT_SUBMIT, &next));
	assert_false(message_next(MESSAGE_STATE_COUNT, EVENT_SUBMIT, &next));
	assert_false(message_next(MESSAGE_QUEUED, EVENT_COUNT, &next));
	assert_int_equal(next, MESSAGE_QUEUED);
}

/* What ended stays ended, but for the one way back: somebody did take or get it. */
static void ends(void **state)
{
	(void)state;
	for (int from = 0; from < MESSAGE_STATE_COUNT; from++)
		for (int event = 0; event < EVENT_COUNT; event++) {
			enum message_state next;
			if (!message_is_ended((enum message_state)from) ||
			    !message_next((enum message_state)from, (enum message_event)event, &next))
				continue;
			assert_true((int)next == from || event == EVENT_ACCEPT || event == EVENT_DELIVER);
		}
	assert_true(message_is_lost(F) && message_is_lost(E) && message_is_lost(N));
	assert_false(message_is_lost(P) || message_is_lost(D) || message_is_lost(A) || message_is_lost(I) || message_is_lost(Q));
}

static void late_results(void **state)
{
	(void)state;
	for (int from = 0; from < MESSAGE_STATE_COUNT; from++)
		for (int event = 0; event < EVENT_COUNT; event++)
			assert_int_equal(message_late_counts((enum message_state)from, (enum message_event)event),
			                 event == EVENT_ACCEPT || from == MESSAGE_IN_DOUBT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_transition),
		cmocka_unit_test(out_of_range),
		cmocka_unit_test(ends),
		cmocka_unit_test(late_results),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
