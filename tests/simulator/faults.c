#include "tests/simulator/simulator.h"

static const struct {
	const char *name;
	size_t at;
	int64_t most;
	const char *help;
} FAULTS[] = {
#define FAULT(field, most, help) { #field, offsetof(struct faults, field), (most), (help) }
	FAULT(latency_ms, 600000, "milliseconds before each submit answer"),
	FAULT(jitter_ms, 600000, "up to so many more, drawn for each: answers out of order"),
	FAULT(throttle_per_second, 1000000, "submits a second above which the answer is 'throttled'"),
	FAULT(window_limit, 100000, "unanswered submits above which the answer is 'queue full'"),
	FAULT(queue_full_percent, 100, "submits answered 'queue full' whatever waits"),
	FAULT(reject_percent, 100, "submits answered 'invalid destination'"),
	FAULT(busy_percent, 100, "submits answered 'temporary error'"),
	FAULT(drop_response_percent, 100, "submits taken and not answered"),
	FAULT(late_response_ms, 600000, "those are answered so much later after all"),
	FAULT(double_response_percent, 100, "submits answered twice"),
	FAULT(cut_every, 100000000, "cut the connection after so many submits, the last one taken"),
	FAULT(cut_before, 1, "the last one before a cut is not taken"),
	FAULT(down_ms, 600000, "after a cut no connection is taken for so many milliseconds"),
	FAULT(stall_every, 100000000, "after so many submits nothing is read or answered for stall_ms"),
	FAULT(stall_ms, 600000, "milliseconds of a stall"),
	FAULT(enquire_ms, 600000, "the centre sends enquire_link so often, and cuts when three stay unanswered"),
	FAULT(bind_fail, 1000000, "so many binds, counted from when this is set, are refused"),
	FAULT(refuse_bind, 0xffff, "command_status of every bind"),
	FAULT(receipts, 1, "send delivery receipts (1) or not (0)"),
	FAULT(receipt_delay_ms, 86400000, "milliseconds from submit to receipt"),
	FAULT(receipt_style, RECEIPT_MIXED, "0 plain, 1 hex, 2 folded, 3 tlv, 4 minimal, 5 shuffled, 6 payload, 7 ucs2, 8 mixed"),
	FAULT(receipt_fail_percent, 100, "receipts that say UNDELIV"),
	FAULT(receipt_double_percent, 100, "receipts sent twice"),
	FAULT(receipt_first, 1, "the receipt leaves before the submit answer"),
	FAULT(receipt_strange_percent, 100, "one more receipt for an id that nobody was told"),
	FAULT(receipt_other_bind, 1, "receipts come over another connection than the submit"),
	FAULT(receipt_intermediate, 1, "an ACCEPTD receipt before the final one"),
	FAULT(mail_latency_ms, 600000, "milliseconds before the answer to a mail"),
	FAULT(mail_reject_percent, 100, "mails answered 550 5.1.1"),
	FAULT(mail_busy_percent, 100, "mails answered 451 4.3.0"),
	FAULT(mail_policy_percent, 100, "mails answered 550 5.7.1"),
	FAULT(mail_cut_percent, 100, "mails taken, the connection cut instead of an answer"),
	FAULT(mail_refuse, 1, "answer every mail connection 421"),
#undef FAULT
};

void faults_init(struct faults *faults)
{
	*faults = (struct faults){ .receipts = 1 };
}

bool faults_set(struct faults *faults, const char *name, int64_t value)
{
	for (size_t i = 0; i < COUNT_OF(FAULTS); i++) {
		if (strcmp(FAULTS[i].name, name) != 0)
			continue;
		if (value < 0 || value > FAULTS[i].most)
			return false;
		memcpy((char *)faults + FAULTS[i].at, &value, sizeof value);
		return true;
	}
	return false;
}

void faults_each(const struct faults *faults, void (*each)(void *, const char *, int64_t, const char *), void *context)
{
	for (size_t i = 0; i < COUNT_OF(FAULTS); i++) {
		int64_t value;
		memcpy(&value, (const char *)faults + FAULTS[i].at, sizeof value);
		each(context, FAULTS[i].name, value, FAULTS[i].help);
	}
}

bool faults_draw(int64_t percent)
{
	return percent > 0 && rand_below(100) < (uint64_t)percent;
}
