// emp-ot 1.0 asked as bench/rivals.py asks: a JSON line in, a JSON line out. Two processes over a TCP connection on loopback.
//
// In:  {"k": 4, "malicious": 0, "count": 1048576, "calls": 16}
// Out: {"seconds": ..., "cpu_s": ..., "bytes": ...} of the calls after a first one, which does the set-up.
#include <emp-ot/emp-ot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

namespace {

struct Told {
    double seconds, cpu_s;
    std::int64_t bytes;
};

double cpu() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Both ends wait for each other. (NetIO's own sync takes both ends of a given socket for clients.)
void meet(emp::NetIO& io) {
    char byte = 0;
    io.send_data(&byte, 1);
    io.flush();
    io.recv_data(&byte, 1);
}

template <int k>
Told play(int party, int socket, bool malicious, std::int64_t count, int calls) {
    emp::NetIO io(socket);
    emp::SoftSpokenOT<k> transfers(party, &io, malicious);
    std::vector<emp::block> rows(static_cast<std::size_t>(count));
    transfers.rcot(rows.data(), count);
    meet(io);
    const auto sent = static_cast<std::int64_t>(io.bytes_sent);
    const double busy = cpu();
    const auto start = std::chrono::steady_clock::now();
    for (int call = 0; call < calls; ++call) transfers.rcot(rows.data(), count);
    meet(io);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    return {wall.count(), cpu() - busy, static_cast<std::int64_t>(io.bytes_sent) - sent};
}

Told choose(int party, int socket, int k, bool malicious, std::int64_t count, int calls) {
    if (k == 2) return play<2>(party, socket, malicious, count, calls);
    if (k == 4) return play<4>(party, socket, malicious, count, calls);
    return play<8>(party, socket, malicious, count, calls);
}

// Two ends of one TCP connection on loopback.
bool connected(int (&ends)[2]) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener, plain, size) != 0 || listen(listener, 1) != 0 || getsockname(listener, plain, &size) != 0) return false;
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(ends[0], plain, size) != 0) return false;
    ends[1] = accept(listener, nullptr, nullptr);
    close(listener);
    return ends[1] >= 0;
}

bool measure(int k, bool malicious, std::int64_t count, int calls, Told (&told)[2]) {
    int ends[2], pipes[2][2];
    if (!connected(ends)) return false;
    pid_t children[2];
    for (int i = 0; i < 2; ++i) {
        if (pipe(pipes[i]) != 0) return false;
        children[i] = fork();
        if (children[i] != 0) continue;
        close(ends[1 - i]);
        const Told mine = choose(i == 0 ? emp::ALICE : emp::BOB, ends[i], k, malicious, count, calls);
        _exit(write(pipes[i][1], &mine, sizeof mine) == sizeof mine ? 0 : 1);
    }
    close(ends[0]);
    close(ends[1]);
    bool good = true;
    for (int i = 0; i < 2; ++i) {
        close(pipes[i][1]);
        good = read(pipes[i][0], &told[i], sizeof told[i]) == sizeof told[i] && good;
        close(pipes[i][0]);
        waitpid(children[i], nullptr, 0);
    }
    return good;
}

long number(const char* line, const char* name) {
    const char* at = std::strstr(line, name);
    return at == nullptr ? 0 : std::strtol(std::strchr(at, ':') + 1, nullptr, 10);
}

}  // namespace

int main() {
    char line[256];
    while (std::fgets(line, sizeof line, stdin) != nullptr) {
        Told told[2]{};
        if (!measure(static_cast<int>(number(line, "\"k\"")), number(line, "\"malicious\"") != 0, number(line, "\"count\""),
                     static_cast<int>(number(line, "\"calls\"")), told))
            return 1;
        std::printf("{\"seconds\": %.9f, \"cpu_s\": %.9f, \"bytes\": %lld}\n", std::max(told[0].seconds, told[1].seconds),
                    std::max(told[0].cpu_s, told[1].cpu_s), static_cast<long long>(told[0].bytes + told[1].bytes));
        std::fflush(stdout);
    }
}
