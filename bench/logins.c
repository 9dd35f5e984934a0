/* Logs in again and again, without sending: how many logins a second does a submission server do?
   usage: logins PORT CLIENTS LOGINS USERS PASSWORD   over plain TCP on loopback, as users u00, u01 ... in turn.
   Each login is a connection of its own: greeting, EHLO, AUTH PLAIN, QUIT. Prints logins a second and how many were refused. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int port, total, users;
static const char *password;
static int next_login, refused;

static void base64(const unsigned char *in, size_t length, char *out) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < length; i += 3) {
    unsigned bits = in[i] << 16 | (i + 1 < length ? in[i + 1] << 8 : 0) | (i + 2 < length ? in[i + 2] : 0);
    *out++ = letters[bits >> 18 & 63];
    *out++ = letters[bits >> 12 & 63];
    *out++ = i + 1 < length ? letters[bits >> 6 & 63] : '=';
    *out++ = i + 2 < length ? letters[bits & 63] : '=';
  }
  *out = 0;
}

/* Reads a whole reply; returns its code, or -1 when the connection ended. */
static int reply(int fd) {
  char buffer[4096];
  size_t have = 0;
  for (;;) {
    ssize_t got = read(fd, buffer + have, sizeof buffer - 1 - have);
    if (got <= 0) return -1;
    have += got;
    buffer[have] = 0;
    for (char *line = buffer, *end; (end = strstr(line, "\r\n")); line = end + 2)
      if (end - line >= 3 && (end - line == 3 || line[3] == ' ')) return atoi(line);
  }
}

static int say(int fd, const char *text) {
  size_t length = strlen(text);
  return write(fd, text, length) == (ssize_t)length ? reply(fd) : -1;
}

static int log_in(int number) {
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  char plain[256], encoded[512], command[600];
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, code = -1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  int length = 1 + snprintf(plain + 1, 100, "u%02d", number % users);
  plain[0] = 0;
  plain[length] = 0;
  length += 1 + snprintf(plain + length + 1, 100, "%s", password);
  base64((unsigned char *)plain, length, encoded);
  snprintf(command, sizeof command, "AUTH PLAIN %s\r\n", encoded);
  if (connect(fd, (struct sockaddr *)&server, sizeof server) == 0 && reply(fd) == 220 && say(fd, "EHLO bench.test\r\n") == 250) {
    code = say(fd, command);
    say(fd, "QUIT\r\n");
  }
  close(fd);
  return code;
}

static void *client(void *unused) {
  for (int mine; (mine = __atomic_fetch_add(&next_login, 1, __ATOMIC_RELAXED)) < total;)
    if (log_in(mine) != 235) __atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
  return unused;
}

int main(int count, char **arguments) {
  if (count != 6) return fprintf(stderr, "usage: logins PORT CLIENTS LOGINS USERS PASSWORD\n"), 2;
  port = atoi(arguments[1]);
  int clients = atoi(arguments[2]);
  total = atoi(arguments[3]);
  users = atoi(arguments[4]);
  password = arguments[5];
  pthread_t threads[clients];
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (int i = 0; i < clients; i++) pthread_create(&threads[i], 0, client, 0);
  for (int i = 0; i < clients; i++) pthread_join(threads[i], 0);
  clock_gettime(CLOCK_MONOTONIC, &to);
  double seconds = to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9;
  printf("%.0f logins/s, %d refused\n", total / seconds, refused);
  return refused > 0;
}
