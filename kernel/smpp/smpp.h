/* SMPP 3.4 on the wire: reading and writing PDUs, delivery receipts, ids of carriers.
 *
 * Section numbers are those of the Short Message Peer to Peer Protocol Specification v3.4, issue 1.2.
 * Nothing here does I/O or takes memory, except that encoders append to the caller's buffer; what is decoded are slices
 * of the bytes given, valid as long as those are. */
#ifndef CHANCERY_KERNEL_SMPP_SMPP_H
#define CHANCERY_KERNEL_SMPP_SMPP_H

#include "base/base.h"

#define SMPP_HEADER_SIZE 16
/* Larger PDUs are refused before they are read. The standard sets no limit; message_payload itself can hold 64 KB - 1,
 * but no real message comes near. */
#define SMPP_PDU_MAX 65536
#define SMPP_VERSION 0x34
#define SMPP_SHORT_MESSAGE_MAX 254 /* 5.2.21 */
#define SMPP_MESSAGE_ID_MAX 64     /* 5.2.23, without the NUL */
#define SMPP_ADDRESS_MAX 64        /* 20 by 5.2.8, 64 in data_sm; carriers do not care which PDU it is */
#define SMPP_SEQUENCE_MAX UINT32_C(0x7fffffff) /* 3.2 */

/* 5.1.2.1 */
enum smpp_command {
	SMPP_BIND_RECEIVER = 0x01,
	SMPP_BIND_TRANSMITTER = 0x02,
	SMPP_SUBMIT_SM = 0x04,
	SMPP_DELIVER_SM = 0x05,
	SMPP_UNBIND = 0x06,
	SMPP_BIND_TRANSCEIVER = 0x09,
	SMPP_ENQUIRE_LINK = 0x15,
	SMPP_DATA_SM = 0x103,
};
#define SMPP_RESPONSE UINT32_C(0x80000000) /* or'ed to a request's command id */
#define SMPP_GENERIC_NACK SMPP_RESPONSE

/* 5.1.3; smpp_status_name knows the others too. */
enum smpp_status {
	SMPP_ROK = 0x00,
	SMPP_RINVMSGLEN = 0x01,
	SMPP_RINVCMDLEN = 0x02,
	SMPP_RINVCMDID = 0x03,
	SMPP_RINVBNDSTS = 0x04,
	SMPP_RALYBND = 0x05,
	SMPP_RSYSERR = 0x08,
	SMPP_RINVDSTADR = 0x0B,
	SMPP_RBINDFAIL = 0x0D,
	SMPP_RINVPASWD = 0x0E,
	SMPP_RINVSYSID = 0x0F,
	SMPP_RMSGQFUL = 0x14,
	SMPP_RSUBMITFAIL = 0x45,
	SMPP_RTHROTTLED = 0x58,
	SMPP_RX_T_APPN = 0x64,
	SMPP_RINVOPTPARSTREAM = 0xC0,
	SMPP_RINVPARLEN = 0xC2,
	SMPP_RUNKNOWNERR = 0xFF,
};

/* What an answer means for the message it answers; groups as carriers are known to use the codes. */
enum smpp_status_group {
	SMPP_GROUP_OK,
	SMPP_GROUP_THROTTLE,  /* 0x58, 0x14 */
	SMPP_GROUP_TEMPORARY, /* try again; unknown and vendor codes too, since a retry loses nothing */
	SMPP_GROUP_RECIPIENT, /* the destination address is wrong */
	SMPP_GROUP_MESSAGE,   /* this message, as it stands, is refused for good */
	SMPP_GROUP_BIND,      /* the connection's state or our account */
};

struct smpp_address {
	uint8_t ton, npi;
	struct str text;
};

struct smpp_bind {
	struct str system_id, password, system_type;
	uint8_t interface_version;
	struct smpp_address range;
};

/* submit_sm, deliver_sm and data_sm. Fields that a PDU lacks are zero; texts of absent TLVs are STR_NONE. */
struct smpp_message {
	struct str service_type;
	struct smpp_address source, destination;
	uint8_t esm_class, protocol_id, priority;
	struct str schedule_time, validity_period;
	uint8_t registered_delivery, replace_if_present, data_coding, default_message_id;
	struct str short_message;
	struct str message_payload;           /* TLV 0424 */
	struct str receipted_message_id;      /* TLV 001E, without NUL */
	struct str network_error_code;        /* TLV 0423: three octets */
	uint8_t message_state;                /* TLV 0427; see has_message_state */
	bool has_message_state;
	uint16_t sar_reference;               /* TLV 020C */
	uint8_t sar_total, sar_number;        /* TLV 020E, 020F; sar_total 0: none */
	struct str vendor;                    /* encoding only: whole TLVs appended as they are */
};

/* One decoded PDU. Which of bind, message, id is filled follows from the command. */
struct smpp_pdu {
	uint32_t command, status, sequence;
	struct smpp_bind bind;       /* bind_* */
	struct smpp_message message; /* submit_sm, deliver_sm, data_sm */
	struct str id;               /* message_id of submit/deliver/data responses, system_id of bind responses */
};

enum smpp_frame { SMPP_FRAME_WHOLE, SMPP_FRAME_MORE, SMPP_FRAME_BAD };

/* Looks at the start of a byte stream. WHOLE: *pdu is its first PDU (the caller goes on after pdu->len bytes). MORE: not
 * all of it is there. BAD: the length field is below 16 or above SMPP_PDU_MAX; the stream cannot be followed any more. */
enum smpp_frame smpp_frame(struct str stream, struct str *pdu);

/* Decodes one whole PDU (from smpp_frame) and returns SMPP_ROK, or the command_status to refuse it with; then *out has
 * the header alone. Unknown TLVs are skipped. Responses may lack their body, as errors do (5.1.3 note) and as some
 * carriers do at all times. An unknown command gives SMPP_RINVCMDID. */
uint32_t smpp_decode(struct str pdu, struct smpp_pdu *out);

/* The text of a message: short_message, or message_payload where that is empty. */
struct str smpp_message_bytes(const struct smpp_message *message);

/* Append one PDU. Those that return bool return false, and append nothing, when a field does not fit the standard. */
bool smpp_put_bind(struct buf *buf, uint32_t command, uint32_t sequence, const struct smpp_bind *bind);
/* `command` is the request's. An accepted bind carries TLV sc_interface_version (5.3.2.25); a refused one has no body. */
bool smpp_put_bind_response(struct buf *buf, uint32_t command, uint32_t status, uint32_t sequence, struct str system_id);
/* `command` is SMPP_SUBMIT_SM, SMPP_DELIVER_SM or SMPP_DATA_SM (which has room for a payload only). */
bool smpp_put_message(struct buf *buf, uint32_t command, uint32_t sequence, const struct smpp_message *message);
/* Response to submit_sm, deliver_sm or data_sm; `command` is the request's. An error has no body. */
bool smpp_put_message_response(struct buf *buf, uint32_t command, uint32_t status, uint32_t sequence, struct str id);
/* PDUs without a body: enquire_link, unbind, their responses, generic_nack. `command` is written as given. */
void smpp_put_empty(struct buf *buf, uint32_t command, uint32_t status, uint32_t sequence);

/* A relative time (7.1.1.2) of `seconds` from now, at most 30 days: 16 characters and NUL. */
void smpp_time_relative(int64_t seconds, char out[17]);
/* An absolute time (7.1.1.1) in UTC, tenths of a second cut off: 16 characters and NUL. `at` is UTC microseconds, 2000 to 2099. */
void smpp_time_absolute(int64_t at, char out[17]);

enum smpp_status_group smpp_status_group(uint32_t status);

#define SMPP_STATUS_RULES_MAX 64
/* A carrier's own meaning of a command_status. */
struct smpp_status_rule {
	uint32_t status;
	enum smpp_status_group group;
};
/* Reads rules as an operator writes them: "0x401=permanent 69=throttle ...", the words permanent (this message), recipient,
 * temporary and throttle. False, *count untouched, for anything else, for status 0 and for more than `rules` has room
 * (SMPP_STATUS_RULES_MAX). */
bool smpp_status_rules_parse(struct str text, struct smpp_status_rule *rules, size_t *count);
/* The group by the rules where they name the status, else as smpp_status_group. */
enum smpp_status_group smpp_status_group_by(const struct smpp_status_rule *rules, size_t count, uint32_t status);
/* Appends vendor TLVs (5.3.2: tags 1400 to 3FFF) as an operator writes them: "1400=0102 1401=41", tag and value in hex. False, and
 * nothing appended, if it cannot be read or exceeds 4 KB. */
bool smpp_vendor_parse(struct str text, struct buf *out);

/* "ESME_RTHROTTLED"; "vendor status" for 0x400-0x4FF, "unknown status" for the rest. */
const char *smpp_status_name(uint32_t status);

/* The message states of 5.2.28 with the words of appendix B, in the numbers of the TLV; 0 is ours. */
enum smpp_state {
	SMPP_STATE_UNKNOWN_WORD = 0, /* no state given, or a word we do not know */
	SMPP_STATE_ENROUTE = 1,
	SMPP_STATE_DELIVERED = 2,
	SMPP_STATE_EXPIRED = 3,
	SMPP_STATE_DELETED = 4,
	SMPP_STATE_UNDELIVERABLE = 5,
	SMPP_STATE_ACCEPTED = 6,
	SMPP_STATE_UNKNOWN = 7,
	SMPP_STATE_REJECTED = 8,
};

/* A delivery receipt (appendix B and the TLVs). Texts are slices of the message or lie in the arena. */
struct smpp_receipt {
	struct str id;       /* the carrier's message id as given; empty: none */
	struct str stat;     /* the state's word as given, else "state N" of TLV 0427; empty: none */
	struct str error;    /* err: of the text, else "NETWORK/CODE" of TLV 0423; empty: none */
	enum smpp_state state;
	bool final;          /* delivered, expired, deleted, undeliverable or rejected: no other state follows */
	bool by_content;     /* nothing but the text's look says that it is a receipt: a person might have typed it */
	int64_t submitted, done; /* dates of the text in UTC microseconds, read as UTC since no zone is given; 0: none */
};

/* True if `message` (a deliver_sm or data_sm) is a delivery receipt: by its esm_class, by TLV 001E or 0427, or by its text.
 * The TLVs win over the text where both speak. What the arena is used for is short. */
bool smpp_receipt_read(struct arena *arena, const struct smpp_message *message, struct smpp_receipt *out);

#define SMPP_ID_KEYS 3

/* Keys by which an id from a submit answer and an id from a receipt meet, though carriers change case, drop leading
 * zeros and write one in hex and the other in decimal. Keep keys[0] of the answer's id; look up all keys of the
 * receipt's id in order. keys[0] stands for the id folded (no case, no blanks around it, no 0x, no leading zeros); the others for its value read as
 * decimal and written as hex, and the other way round, where it is a number below 2^128. Those two are guesses: trust
 * them only together with the recipient's address. Returns how many keys there are; 0 for an empty id. The values are
 * the same in every version of the program, never 0, and may be stored. */
size_t smpp_id_keys(struct str id, uint64_t keys[SMPP_ID_KEYS]);

#endif
