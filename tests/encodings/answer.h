/* Our encodings and PDUs for a script that compares them with others'. */
#ifndef CHANCERY_TESTS_ENCODINGS_ANSWER_H
#define CHANCERY_TESTS_ENCODINGS_ANSWER_H

/* Answers each line of standard input with one line, until its end; the exit status. Bytes are written in hex, - is none.
 *
 * split LANGUAGES TEXT           ENCODING LOCKING SINGLE, then ESM_CLASS DATA_CODING OCTETS for each part
 * read READING OCTETS            the text
 * pack FILL SEPTETS              octets
 * message COMMAND SEQUENCE service source_ton source_npi source destination_ton destination_npi destination esm_class
 *   protocol_id priority schedule validity registered replace data_coding default_id short_message payload
 *   receipted_id network_error state sar_reference sar_total sar_number
 *                                the PDU, and ' same' if decoding it gives the same fields back */
int answer_lines(void);

#endif
