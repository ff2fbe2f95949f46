// SPDX-License-Identifier: Apache-2.0
// A fence agent by the standard interface for the lab's nodes: off really kills the node, and
// answers only when no process of it is left.
#include "labsock.h"

#include <stdbool.h>
#include <stdlib.h>

#define SOCKET_DEFAULT "/run/lab-host/labd.sock"

struct options {
	char action[32];
	char port[64];
};

static const char *metadata =
	"<?xml version=\"1.0\" ?>\n"
	"<resource-agent name=\"fence_lab\" shortdesc=\"Fence agent for the lab's nodes\">\n"
	"<longdesc>fence_lab cuts the power of a node of the lab: it kills every process in the "
	"node's PID namespace and confirms that none is left.</longdesc>\n"
	"<parameters>\n"
	"\t<parameter name=\"action\" unique=\"0\" required=\"1\">\n"
	"\t\t<getopt mixed=\"-o, --action=[action]\" />\n"
	"\t\t<content type=\"string\" default=\"reboot\" />\n"
	"\t\t<shortdesc lang=\"en\">Fencing action</shortdesc>\n"
	"\t</parameter>\n"
	"\t<parameter name=\"port\" unique=\"0\" required=\"1\">\n"
	"\t\t<getopt mixed=\"-n, --plug=[id]\" />\n"
	"\t\t<content type=\"string\" />\n"
	"\t\t<shortdesc lang=\"en\">Name of the node</shortdesc>\n"
	"\t</parameter>\n"
	"\t<parameter name=\"plug\" unique=\"0\" required=\"0\" obsoletes=\"port\">\n"
	"\t\t<getopt mixed=\"-n, --plug=[id]\" />\n"
	"\t\t<content type=\"string\" />\n"
	"\t\t<shortdesc lang=\"en\">Name of the node</shortdesc>\n"
	"\t</parameter>\n"
	"</parameters>\n"
	"<actions>\n"
	"\t<action name=\"on\" automatic=\"0\"/>\n"
	"\t<action name=\"off\" />\n"
	"\t<action name=\"reboot\" />\n"
	"\t<action name=\"status\" />\n"
	"\t<action name=\"list\" />\n"
	"\t<action name=\"list-status\" />\n"
	"\t<action name=\"monitor\" />\n"
	"\t<action name=\"metadata\" />\n"
	"</actions>\n"
	"</resource-agent>\n";

static void option_set(struct options *options, const char *name, const char *value)
{
	if (strcmp(name, "action") == 0 || strcmp(name, "option") == 0)
		snprintf(options->action, sizeof(options->action), "%s", value);
	else if (strcmp(name, "port") == 0 || strcmp(name, "plug") == 0 ||
		 (strcmp(name, "nodename") == 0 && !options->port[0]))
		snprintf(options->port, sizeof(options->port), "%s", value);
}

static void options_read(struct options *options)
{
	char line[512];

	while (fgets(line, sizeof(line), stdin)) {
		char *equals = strchr(line, '=');

		line[strcspn(line, "\n")] = 0;
		if (line[0] == '#' || !equals)
			continue;
		*equals = 0;
		option_set(options, line, equals + 1);
	}
}

static int options_parse(struct options *options, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "o:n:")) != -1) {
		if (option == 'o')
			option_set(options, "action", optarg);
		else if (option == 'n')
			option_set(options, "port", optarg);
		else
			return -EINVAL;
	}
	return 0;
}

// Returns true if the lab did it; the answer without its leading word goes to text.
static bool lab_fence(const char *verb, const char *port, char *text, size_t size)
{
	const char *path = getenv("LAB_SOCKET");
	char line[160];
	int length;

	snprintf(line, sizeof(line), "fence %s %s", verb, port);
	length = lab_ask(path ? path : SOCKET_DEFAULT, line, text, size);
	if (length < 0) {
		fprintf(stderr, "fence_lab: the lab does not answer: %s\n", strerror(-length));
		return false;
	}
	if (strncmp(text, "ok", 2) == 0)
		return true;
	fprintf(stderr, "fence_lab: %s: %s", verb, length ? text : "no answer\n");
	return false;
}

static int node_status(const char *port)
{
	char text[512];

	if (!lab_fence("status", port, text, sizeof(text)))
		return 1;
	if (strncmp(text, "ok off", 6) == 0) {
		printf("Status: OFF\n");
		return 2;
	}
	printf("Status: ON\n");
	return 0;
}

static int node_switch(const char *verb, const char *port)
{
	char text[512];

	if (!lab_fence(verb, port, text, sizeof(text)))
		return 1;
	// As the agents of the fence-agents package do: the device's word is checked by its status.
	if (!lab_fence("status", port, text, sizeof(text)))
		return 1;
	if (strncmp(text, "ok ", 3) || strncmp(text + 3, verb, strlen(verb))) {
		fprintf(stderr, "fence_lab: %s was not switched %s\n", port, verb);
		return 1;
	}
	printf("Success: Powered %s\n", strcmp(verb, "off") == 0 ? "OFF" : "ON");
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { .action = "reboot" };
	char text[1024];

	if (argc > 1) {
		if (options_parse(&options, argc, argv))
			return 1;
	} else {
		options_read(&options);
	}
	if (strcmp(options.action, "metadata") == 0) {
		fputs(metadata, stdout);
		return 0;
	}
	if (strncmp(options.action, "list", 4) == 0 || strcmp(options.action, "monitor") == 0) {
		if (!lab_fence("list", "-", text, sizeof(text)))
			return 1;
		if (options.action[0] == 'l')
			fputs(text + strcspn(text, "\n") + 1, stdout);
		return 0;
	}
	if (!options.port[0]) {
		fprintf(stderr, "fence_lab: no port given\n");
		return 1;
	}
	if (strcmp(options.action, "status") == 0)
		return node_status(options.port);
	if (strcmp(options.action, "off") == 0 || strcmp(options.action, "on") == 0)
		return node_switch(options.action, options.port);
	if (strcmp(options.action, "reboot") == 0) {
		int error = node_switch("off", options.port);

		return error ? error : node_switch("on", options.port);
	}
	fprintf(stderr, "fence_lab: unknown action %s\n", options.action);
	return 1;
}
