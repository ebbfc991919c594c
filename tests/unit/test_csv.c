// SPDX-License-Identifier: MIT
/* test_csv.c: the reader and writer of RFC 4180. */
#include "lk_csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Input in pieces of a chosen size, so that every boundary is met. */
struct input {
    const uint8_t *data;
    size_t size;
    size_t piece;
};

static int input_read(void *context, uint8_t *out, size_t size, size_t *got)
{
    struct input *input = context;
    size_t count = input->size < input->piece ? input->size : input->piece;

    count = count < size ? count : size;
    memcpy(out, input->data, count);
    input->data += count;
    input->size -= count;
    *got = count;
    return 0;
}

static int failing_read(void *context, uint8_t *out, size_t size, size_t *got)
{
    (void)context;
    (void)out;
    (void)size;
    (void)got;
    return LK_E_IO;
}

/* Reads all of it: each record as "LINE:field|field\n", a refusal as "LINE!rule\n". */
static void read_all(const char *text, size_t size, size_t piece, char *out, size_t capacity)
{
    struct input input = {(const uint8_t *)text, size, piece};
    struct lk_csv_reader *reader = malloc(sizeof(*reader));
    size_t used = 0;
    int error;

    assert_non_null(reader);
    out[0] = '\0';
    lk_csv_reader_init(reader, input_read, &input);
    while ((error = lk_csv_read(reader)) != LK_E_NOT_FOUND) {
        used += (size_t)snprintf(out + used, capacity - used, "%u%c", (unsigned)reader->line,
                                 error ? '!' : ':');
        if (error) {
            assert_int_equal(error, LK_E_USAGE);
            used += (size_t)snprintf(out + used, capacity - used, "%s", reader->rule);
        }
        for (size_t i = 0; !error && i < reader->field_count; i++) {
            used +=
                (size_t)snprintf(out + used, capacity - used, "%s%.*s", i > 0 ? "|" : "",
                                 (int)reader->fields[i].size, (const char *)reader->fields[i].data);
        }
        used += (size_t)snprintf(out + used, capacity - used, "\n");
        assert_true(used < capacity);
    }
    free(reader);
}

static void test_csv_reads_what_the_rfc_says(void **state)
{
    static const struct {
        const char *text;
        const char *read;
    } cases[] = {
        {"", ""},
        {"a,b\nc,d\n", "1:a|b\n2:c|d\n"},
        {"a,b\r\nc,d\r\n", "1:a|b\n2:c|d\n"},
        {"a,b\nc,d", "1:a|b\n2:c|d\n"},
        {"a,b\r\nc,d\r", "1:a|b\n2:c|d\n"},
        {"a,\n,b\n,\n", "1:a|\n2:|b\n3:|\n"},
        {"\n\n a \n\r\nb\n", "3: a \n5:b\n"},
        {"\"a\",\"b,c\"\n", "1:a|b,c\n"},
        {"\"a\"\"b\",\"\"\n", "1:a\"b|\n"},
        {"\"a\nb\r\nc\",d\ne\n", "1:a\nb\r\nc|d\n4:e\n"},
        {"\"\"\"\"\n", "1:\"\n"},
        {"\"a\"", "1:a\n"},
        {"\"a\"\r\n\"b\"\r", "1:a\n2:b\n"},
        {"a\rb,c\n", "1:a\rb|c\n"},
        {"\xEF\xBB\xBF"
         "a,b\n",
         "1:a|b\n"},
        {"\xEF\xBB\xBF\"a\",b\nc\n", "1:a|b\n2:c\n"},
        {"\xEF\xBB\xBF\n\xEF\xBB\xBFx\n", "2:\xEF\xBB\xBFx\n"},
        /* Only at the beginning: reading over it in a later field once went before the buffer. */
        {",,\xEF\xBB\xBF,a\n", "1:||\xEF\xBB\xBF|a\n"},
        {"\"\xEF\xBB\xBF\",a\n", "1:\xEF\xBB\xBF|a\n"},
        {"\xEF\xBB", "1!is not UTF-8\n"},
        {"=1+1,\"+2\",@x\n", "1:=1+1|+2|@x\n"},
        {"\xC3\xBC,\xF0\x9F\x94\x91\n", "1:\xC3\xBC|\xF0\x9F\x94\x91\n"},
        /* Wrong quotes: the rest could be read in two ways, so it is not read. */
        {"a\n\"b\nc\n", "1:a\n2!has a quoted field that never ends\n"},
        {"a\nb\"c,d\ne\n", "1:a\n2!has a quote inside a field that is not quoted; the rest of the "
                           "file was not read\n"},
        {"\"a\"b\nc\n",
         "1!has text after the closing quote of a field; the rest of the file was not read\n"},
        {"\"a\"\rb\nc\n",
         "1!has text after the closing quote of a field; the rest of the file was not read\n"},
        {"\"a\" ,b\n",
         "1!has text after the closing quote of a field; the rest of the file was not read\n"},
        {"a,\xC3\nb\n", "1!is not UTF-8\n2:b\n"},
        /* Not UTF-8 only where the fields are put together. */
        {"\xC3,\xBC\nb\n", "1!is not UTF-8\n2:b\n"},
    };
    char out[512];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t piece = 1; piece < 6; piece++) {
            read_all(cases[i].text, strlen(cases[i].text), piece, out, sizeof(out));
            assert_string_equal(out, cases[i].read);
        }
    }
}

static void test_csv_refuses_nul(void **state)
{
    static const char text[] = "a,b\0c\nd,\"e\0f\ng\"\nh\n";
    char out[256];

    (void)state;
    read_all(text, sizeof(text) - 1, 3, out, sizeof(out));
    assert_string_equal(out, "1!holds a NUL byte\n2!holds a NUL byte\n4:h\n");
}

static void test_csv_refuses_what_is_over_long_and_goes_on(void **state)
{
    size_t size = 10u << 20;
    char *text = malloc(size + 16);
    char out[256];

    (void)state;
    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text + size, "\nb,c\n", 5);
    read_all(text, size + 5, 4096, out, sizeof(out));
    assert_string_equal(out, "1!is longer than 65536 bytes\n2:b|c\n");
    /* Lines inside an over-long quoted field are not records. */
    memset(text, '\n', size);
    text[0] = '"';
    memcpy(text + size, "\"\nb,c\n", 6);
    read_all(text, size + 6, 4096, out, sizeof(out));
    assert_string_equal(out, "1!is longer than 65536 bytes\n10485761:b|c\n");
    memset(text, ',', 200);
    memcpy(text + 200, "\nb\n", 3);
    read_all(text, 203, 7, out, sizeof(out));
    assert_string_equal(out, "1!has more than 128 fields\n2:b\n");
    free(text);
}

static void test_csv_tells_of_a_failing_source(void **state)
{
    struct lk_csv_reader *reader = malloc(sizeof(*reader));

    (void)state;
    assert_non_null(reader);
    lk_csv_reader_init(reader, failing_read, NULL);
    assert_int_equal(lk_csv_read(reader), LK_E_IO);
    free(reader);
}

struct output {
    char data[256];
    size_t size;
    size_t room; /* bytes until it fails */
};

static int output_write(void *context, const void *data, size_t size)
{
    struct output *output = context;

    if (size > output->room) {
        return LK_E_IO;
    }
    memcpy(output->data + output->size, data, size);
    output->size += size;
    output->room -= size;
    return 0;
}

static int write_sample(struct output *output)
{
    static const char *const fields[] = {"a",      "",   "b,c", "d\"\"e",
                                         "f\r\ng", " h", "=i",  "\xC3\xBC"};
    int error = 0;

    for (size_t i = 0; !error && i < sizeof(fields) / sizeof(fields[0]); i++) {
        error = lk_csv_write_field(output_write, output,
                                   (struct lk_span){(const uint8_t *)fields[i], strlen(fields[i])},
                                   i == 0);
    }
    return error ? error : lk_csv_write_end(output_write, output);
}

static void test_csv_writes_what_it_reads(void **state)
{
    struct output output = {.room = 256};
    char out[256];

    (void)state;
    assert_int_equal(write_sample(&output), 0);
    output.data[output.size] = '\0';
    assert_string_equal(output.data, "a,,\"b,c\",\"d\"\"\"\"e\",\"f\r\ng\",\" h\",=i,\xC3\xBC\r\n");
    read_all(output.data, output.size, 5, out, sizeof(out));
    assert_string_equal(out, "1:a||b,c|d\"\"e|f\r\ng| h|=i|\xC3\xBC\n");
}

static void test_csv_tells_of_a_failing_sink(void **state)
{
    struct output whole = {.room = 256};

    (void)state;
    assert_int_equal(write_sample(&whole), 0);
    for (size_t room = 0; room < whole.size; room++) {
        struct output output = {.room = room};

        assert_int_equal(write_sample(&output), LK_E_IO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_reads_what_the_rfc_says),
        cmocka_unit_test(test_csv_refuses_nul),
        cmocka_unit_test(test_csv_refuses_what_is_over_long_and_goes_on),
        cmocka_unit_test(test_csv_tells_of_a_failing_source),
        cmocka_unit_test(test_csv_writes_what_it_reads),
        cmocka_unit_test(test_csv_tells_of_a_failing_sink),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
