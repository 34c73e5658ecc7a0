/* test_forms.c: the forms behind P, p and g: what they run is what they show; what no node would take stays
 * in the form, and what may not be meant is asked. On the model alone. */
#include "tests/screen/support.h"

static void the_policy_form_runs_what_it_shows(void **state)
{
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, 'P', &run);
    assert_keys_run(&m, "\n",
                    "labctl -n node1 set_policy mirrior '^mirrior' "
                    "'{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}'");
    model_key(&m, 'P', &run);
    for (const char *key = "\t\x15^q'\t\x15nodes\t\x15node1,node2\t\x15"; *key; key++)
        model_key(&m, *key, &run);
    model_key(&m, 0x961f, &run); /* a key of another script */
    model_key(&m, KEY_ERASE, &run);
    assert_keys_run(&m, "\n",
                    "labctl -n node1 set_policy mirrior '^q'\\''' "
                    "'{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"]}'");
    model_key(&m, 'P', &run);
    assert_int_equal(model_key(&m, 'q', &run), EFFECT_DRAW); /* typed, not obeyed */
    assert_int_equal(model_key(&m, KEY_ESCAPE, &run), EFFECT_DRAW);
    assert_int_equal(m.overlay, OVERLAY_NONE);
    model_finish(&m);
}

/* Enter runs nothing: the form stays, says what is wrong, and is in the field that is. */
static void assert_form_stays(struct model *m, const char *why)
{
    struct command *run = NULL;
    assert_int_equal(model_key(m, KEY_RETURN, &run), EFFECT_DRAW);
    assert_null(run);
    assert_int_equal(m->overlay, OVERLAY_FORM);
    char *frame = model_frame(m, 80, 24);
    assert_contains(frame, why);
    free(frame);
}

static void what_no_node_would_take_stays_in_the_form(void **state)
{
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, 'P', &run);
    types(&m, "\x15", &run);
    assert_form_stays(&m, "name is empty: a policy is known by its name");
    types(&m, "p\t([", &run);
    assert_form_stays(&m, "pattern ([ is no regular expression: ");
    types(&m, "^mirrior\t\t0", &run); /* typed in the place of what is wrong */
    assert_form_stays(&m, "ha-params 0 is no number of copies: for exactly write 1 or more");
    char *frame = NULL;
    types(&m, "2", &run);
    frame = model_frame(&m, 80, 24);
    assert_lacks(frame, "is no number"); /* until the next key */
    free(frame);
    assert_keys_run(&m, "\n",
                    "labctl -n node1 set_policy p '^mirrior' "
                    "'{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}'");
    model_key(&m, 'P', &run);
    types(&m, "\t\tnodes\t ,", &run);
    input_set(&m.forms[FORM_POLICY].fields[POLICY_HA_MODE], "some");
    assert_form_stays(&m, "ha-mode some is none of: exactly, all, nodes");
    input_set(&m.forms[FORM_POLICY].fields[POLICY_HA_MODE], "nodes");
    assert_form_stays(&m, "ha-params is empty: for nodes write their names, such as node1");
    model_finish(&m);
}

/* Nodes take a policy for every queue, or for nodes that there are not: the form asks once what nobody may
 * have meant. Another key in between, and it asks again. */
static void what_may_not_be_meant_is_asked_once(void **state)
{
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, 'P', &run);
    types(&m, "\t\x15", &run);
    assert_form_stays(&m, "An empty pattern matches every queue there is and will be.");
    assert_int_equal(m.forms[FORM_POLICY].at, POLICY_PATTERN);
    types(&m, "\t", &run);
    assert_form_stays(&m, "An empty pattern matches every queue there is and will be.");
    assert_keys_run(&m, "\n",
                    "labctl -n node1 set_policy mirrior '' "
                    "'{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}'");
    model_key(&m, 'P', &run);
    types(&m, "\t^q", &run);
    input_set(&m.forms[FORM_POLICY].fields[POLICY_HA_MODE], "nodes");
    input_set(&m.forms[FORM_POLICY].fields[POLICY_HA_PARAMS], "node7,node2@here, node");
    assert_form_stays(&m, "This cluster has no node called node7, node: no copy can go there.");
    assert_int_equal(m.forms[FORM_POLICY].at, POLICY_HA_PARAMS);
    types(&m, "node1,node2", &run); /* typed in its place */
    assert_keys_run(&m, "\n",
                    "labctl -n node1 set_policy mirrior '^q' "
                    "'{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"],"
                    "\"ha-sync-mode\":\"automatic\"}'");
    model_key(&m, 'P', &run); /* both at once */
    input_set(&m.forms[FORM_POLICY].fields[POLICY_PATTERN], "");
    input_set(&m.forms[FORM_POLICY].fields[POLICY_HA_PARAMS], "node9");
    assert_form_stays(&m, "no node called node9");
    model_key(&m, KEY_ESCAPE, &run);
    model_key(&m, 'P', &run); /* that was cancelled: what ran before is there */
    assert_frame_contains(&m, "set_policy mirrior '^q'");
    input_set(&m.forms[FORM_POLICY].fields[POLICY_HA_PARAMS], "node9");
    assert_form_stays(&m, "no node called node9"); /* asked anew */
    model_finish(&m);
}

static void lab_of_three(struct labdir *lab)
{
    *lab = (struct labdir){.nodes_len = 3};
    for (size_t i = 0; i < 3; i++) {
        snprintf(lab->nodes[i].name, sizeof(lab->nodes[i].name), "node%zu", i + 1);
        snprintf(lab->nodes[i].host, sizeof(lab->nodes[i].host), "127.0.0.1");
        lab->nodes[i].amqp_port = (uint16_t)(5672 + i);
    }
}

/* the lesson's first two steps run its producer and its consumer */
static void with_programs(struct lesson *l)
{
    static const char *const paths[] = {"/lessons/07/producer", "/lessons/07/consumer"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        free(l->steps[i].action[0]);
        l->steps[i].action[0] = xstrdup(paths[i]);
    }
}

/* A number, or all that nodes say are ready; what is neither, and what nobody can say, stays in the form. */
static void getting_several(struct model *m)
{
    struct command *run;
    static const char *const wrong[] = {"0", "few", ""};
    model_key(m, 'g', &run);
    types(m, "25", &run);
    assert_keys_run(m, "\n", "consumer --host 127.0.0.1 --port 5673 --queue mirrior_hello --count 25");
    model_key(m, 'g', &run);
    model_key(m, KEY_ARROW_RIGHT, &run); /* the field's choices: 1, all */
    assert_keys_run(m, "\n", "consumer --host 127.0.0.1 --port 5673 --queue mirrior_hello --count 100000");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char *why = format_text("count %s is no number of messages: write 1 or more, or all",
                                *wrong[i] ? wrong[i] : "''");
        model_key(m, 'g', &run);
        model_key(m, 0x15, &run); /* Ctrl-U */
        types(m, wrong[i], &run);
        assert_form_stays(m, why);
        model_key(m, KEY_ESCAPE, &run);
        free(why);
    }
    struct queue_seen *q = &m->snapshot->queues[model_queue(m) - m->snapshot->queues];
    int64_t ready = q->ready;
    static const char *const says[] = {
        "how many messages mirrior_hello has nobody can say now: write a number",
        "mirrior_hello has no message that is ready"};
    for (int i = 0; i < 2; i++) {
        q->ready = i - 1;
        model_key(m, 'g', &run);
        types(m, "all", &run);
        assert_form_stays(m, says[i]);
        model_key(m, KEY_ESCAPE, &run);
    }
    q->ready = ready;
}

static void publishing_asks_how_many_and_runs_the_lessons_producer(void **state)
{
    struct labdir lab;
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    (void)state;
    lab_of_three(&lab);
    model_init(&m, l, &lab, false, false);
    see(&m, "rest");
    assert_keys_say(&m, "p", "no lesson has a producer that is built");
    with_programs(l);
    assert_int_equal(model_key(&m, 'p', &run), EFFECT_DRAW);
    assert_int_equal(m.overlay, OVERLAY_FORM);
    assert_keys_run(&m, "\n", "producer --host 127.0.0.1 --port 5672 --queue hello");
    model_key(&m, 'j', &run);
    model_key(&m, 'l', &run);
    model_key(&m, 'p', &run);
    /* what is typed takes the place of what a field proposes; after an arrow it goes into it */
    for (const char *key = "6\x7f"
                           "5000\t\x15ni hao\t \t ";
         *key; key++) /* Space: the next choice */
        model_key(&m, *key, &run);
    assert_keys_run(
        &m, "\n",
        "producer --host 127.0.0.1 --port 5673 --queue mirrior_hello --message 'ni hao' --count 5000 "
        "--persistent --confirm");
    model_key(&m, 'g', &run); /* Enter alone takes one */
    assert_keys_run(&m, "\n", "consumer --host 127.0.0.1 --port 5673 --queue mirrior_hello");
    m.tools = l; /* a consumer that can acknowledge takes what it prints, and leaves the rest */
    model_key(&m, 'g', &run);
    assert_keys_run(&m, "\n", "consumer --host 127.0.0.1 --port 5673 --queue mirrior_hello --manual-ack");
    m.tools = NULL;
    getting_several(&m);
    static const char *const wrong[] = {"-5", "0", "five", "5x", "1000000000000"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char *why = format_text("count %s is no number of messages: write 1 or more", wrong[i]);
        model_key(&m, 'p', &run);
        types(&m, wrong[i], &run);
        assert_form_stays(&m, why);
        model_key(&m, KEY_ESCAPE, &run);
        free(why);
    }
    static const struct {
        const char *persistent, *confirm, *more; /* more: NULL: the form stays */
    } answers[] = {{"y", "n", "--persistent"},
                   {"YES", "no", "--persistent"},
                   {"n", "Y", "--confirm"},
                   {"是", "否", "--persistent"},
                   {"true", "no", NULL},
                   {"no", "1", NULL},
                   {"", "no", NULL}};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        model_key(&m, 'p', &run);
        types(&m, "1\tHello World\t", &run);
        input_set(&m.forms[FORM_PUBLISH].fields[PUBLISH_PERSISTENT], answers[i].persistent);
        input_set(&m.forms[FORM_PUBLISH].fields[PUBLISH_CONFIRM], answers[i].confirm);
        if (answers[i].more) {
            char *words = format_text("producer --host 127.0.0.1 --port 5673 --queue mirrior_hello %s",
                                      answers[i].more);
            assert_keys_run(&m, "\n", words);
            free(words);
            continue;
        }
        bool confirm = strcmp(answers[i].confirm, "no") != 0;
        char *why = format_text("%s %s is neither yes nor no: write one of them, or y, n",
                                confirm ? "confirm" : "persistent",
                                confirm                     ? answers[i].confirm
                                : !answers[i].persistent[0] ? "''"
                                                            : answers[i].persistent);
        assert_form_stays(&m, why);
        model_key(&m, KEY_ESCAPE, &run);
        free(why);
    }
    model_key(&m, 'h', &run);
    see(&m, "stopped"); /* node1 is selected and does not run: another node will do, and it is said */
    model_key(&m, 'g', &run);
    assert_int_equal(model_key(&m, KEY_RETURN, &run), EFFECT_RUN);
    model_ran(&m, run);
    char *through = model_frame(&m, 80, 24);
    assert_contains(through, " --queue mirrior_hello "); /* all of it */
    assert_contains(through, "  node1 is away: through node2\n");
    free(through);
    model_ended(&m, run, 0);
    model_key(&m, 'p', &run);
    assert_int_equal(types(&m, "3\t\t ", &run), EFFECT_DRAW); /* persistent */
    assert_int_equal(model_key(&m, KEY_RETURN, &run), EFFECT_RUN);
    assert_non_null(strstr(run->text, " --persistent"));
    model_ran(&m, run);
    model_output(&m, run, "published 3 message(s) to mirrior_hello: Hello World\n", 53);
    model_ended(&m, run, 0);
    assert_frame_contains(
        &m, "$ producer .. --queue mirrior_hello --count 3 --persistent "); /* what it is about is read to its
                                                                               end */
    assert_frame_contains(&m, "  node1 is away: through node2\n");
    model_key(&m, 'g', &run);
    assert_keys_run(&m, "\n", "consumer --host 127.0.0.1 --port 5673 --queue mirrior_hello");
    model_finish(&m);
    sketch_destroy(l);
}

/* A program of a lesson that knows more than this one's, where what is asked for needs it. */
static void what_the_lessons_own_producer_does_not_know(void **state)
{
    struct labdir lab;
    struct lesson *l = sketch_lesson(), *newest = sketch_lesson();
    struct model m;
    static const struct {
        const char *persistent, *confirm, *program;
    } asked[] = {{"no", "no", "/lessons/01/producer"},
                 {"yes", "no", "/lessons/07/producer"},
                 {"no", "yes", "/lessons/07/producer"}};
    (void)state;
    lab_of_three(&lab);
    with_programs(l);
    with_programs(newest);
    free(l->steps[0].action[0]);
    l->steps[0].action[0] = xstrdup(asked[0].program);
    model_init(&m, l, &lab, false, false);
    m.tools = newest;
    see(&m, "rest");
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        struct command *run;
        model_key(&m, 'p', &run);
        input_set(&m.forms[FORM_PUBLISH].fields[PUBLISH_PERSISTENT], asked[i].persistent);
        input_set(&m.forms[FORM_PUBLISH].fields[PUBLISH_CONFIRM], asked[i].confirm);
        assert_int_equal(model_key(&m, KEY_RETURN, &run), EFFECT_RUN);
        assert_string_equal(run->argv[0], asked[i].program);
        command_destroy(run);
    }
    m.tools = NULL;
    model_finish(&m);
    sketch_destroy(l);
    sketch_destroy(newest);
}

/* No half of a word: where the form's own words have no room shorter ones stand there. */
static void a_narrow_form_has_whole_words(void **state)
{
    static const struct {
        int key;
        const char *wide, *narrow;
    } all[] = {
        {'P', "whose name matches the pattern follows it. ", "Every queue that matches follows it. "},
        {'p', "The lesson's producer publishes through a node that runs. ", "| Through a node that runs. "},
        {'g', "takes them from the queue, the oldest first. ", "| The oldest first. "}};
    struct labdir lab;
    struct lesson *l = sketch_lesson();
    struct model m;
    (void)state;
    lab_of_three(&lab);
    with_programs(l);
    model_init(&m, l, &lab, false, false);
    see(&m, "rest");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct command *run;
        model_key(&m, all[i].key, &run);
        assert_int_equal(m.overlay, OVERLAY_FORM);
        assert_frame_contains(&m, all[i].wide);
        assert_frame_contains(&m, "Ctrl-U: empty it   Esc: cancel ");
        char *frame = model_frame(&m, 52, 18);
        assert_contains(frame, all[i].narrow);
        assert_contains(frame, "| Enter: do it   Esc: cancel ");
        free(frame);
        model_key(&m, KEY_ESCAPE, &run);
    }
    model_finish(&m);
    sketch_destroy(l);
}

/* A form that is cancelled forgets; after one that ran Enter alone publishes one message of that text, and it
 * is transient: that it is kept on disk is said each time. */
static void what_a_form_remembers(void **state)
{
    struct labdir lab;
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    (void)state;
    lab_of_three(&lab);
    with_programs(l);
    model_init(&m, l, &lab, false, false);
    see(&m, "rest");
    model_key(&m, 'p', &run);
    types(&m, "7\tnever\t ", &run);
    assert_frame_contains(&m, "--count 7");
    assert_frame_contains(&m, "persistent    yes");
    model_key(&m, KEY_ESCAPE, &run);
    model_key(&m, 'p', &run);
    assert_frame_contains(&m, "$ producer --host 127.0.0.1 --port 5672 --queue hello ");
    assert_frame_lacks(&m, "never");
    assert_frame_lacks(&m, "yes");
    types(&m, "100000\tni hao\t ", &run);
    assert_keys_run(&m, "\n",
                    "producer --host 127.0.0.1 --port 5672 --queue hello --message 'ni hao' --count 100000 "
                    "--persistent");
    model_key(&m, 'p', &run);
    assert_keys_run(&m, "\n", "producer --host 127.0.0.1 --port 5672 --queue hello --message 'ni hao'");
    model_finish(&m);
    sketch_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_form_runs_what_it_shows),
        cmocka_unit_test(what_no_node_would_take_stays_in_the_form),
        cmocka_unit_test(what_may_not_be_meant_is_asked_once),
        cmocka_unit_test(publishing_asks_how_many_and_runs_the_lessons_producer),
        cmocka_unit_test(what_the_lessons_own_producer_does_not_know),
        cmocka_unit_test(what_a_form_remembers),
        cmocka_unit_test(a_narrow_form_has_whole_words),
    };
    return cmocka_run_group_tests_name("screen/forms", tests, NULL, NULL);
}
