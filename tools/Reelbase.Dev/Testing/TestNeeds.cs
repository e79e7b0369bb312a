namespace Reelbase.Dev.Testing;

/// <summary>What only the tests need, with the Debian packages that bring it. Whatever is missing leaves its tests out, and that is said.</summary>
internal static class TestNeeds
{
    /// <summary>One of them; a need without packages is never installed.</summary>
    private sealed record Need(string Trait, string[] Programs, string LeftOut, (string Program, string Packages)[] Packages);

    private const string Swift = "swift-proxy swift-account swift-container swift-object memcached";

    private static readonly Need[] All =
    [
        new(
            "swift",
            ["swift-proxy-server", "memcached"],
            $"the tests of S3 storage, which need OpenStack Swift and memcached (Debian: {Swift})",
            [("swift-proxy-server", Swift), ("memcached", Swift)]
        ),
        new("node", ["node", "npm"], "the vendors' own JavaScript clients, which need Node 20 or newer", []),
        new("promtool", ["promtool"], "Prometheus's own check of the alert rules, which needs promtool (Debian: prometheus)", [("promtool", "prometheus")]),
        new("chromium", ["chromium"], "the console in a real browser, which needs Chromium (Debian: chromium)", [("chromium", "chromium fonts-dejavu-core")]),
        new(
            "systemd",
            ["systemd-analyze"],
            "systemd's own check of the units, which needs systemd-analyze (Debian: systemd)",
            [("systemd-analyze", "systemd")]
        ),
        new(
            "proxies",
            ["nginx", "caddy"],
            "the examples of proxies, which need nginx and Caddy (Debian: nginx caddy)",
            [("nginx", "nginx"), ("caddy", "caddy")]
        ),
    ];

    /// <summary>Debian would start the daemons that it installs; a policy file, there for as long as it takes, forbids it.</summary>
    private const string Install = """
        policy=/usr/sbin/policy-rc.d
        if [ ! -e $policy ]; then
          trap 'rm -f $policy' EXIT
          trap 'exit 1' INT TERM HUP
          printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get -qq update
        apt-get -qq install -y --no-install-recommends "$@"
        """;

    /// <summary>Installs what is missing where that can be done and whoever sits there agrees.</summary>
    public static async Task PrepareAsync(bool isAnswered, CancellationToken stop)
    {
        string[] missing =
        [
            .. All.SelectMany(need => need.Packages).Where(part => !Tools.Has(part.Program)).SelectMany(part => part.Packages.Split(' ')).Distinct(),
        ];
        if (missing.Length == 0 || !Tools.Has("apt-get") || !Terminal.MayInstall(isAnswered, $"for the tests: {string.Join(' ', missing)}"))
        {
            return;
        }
        Terminal.Step($"Installing for the tests: {string.Join(' ', missing)}");
        string[] asRoot = Environment.IsPrivilegedProcess ? [] : ["sudo", "-n"];
        string[] words = [.. asRoot, "sh", "-c", Install, "sh", .. missing];
        var (code, output) = await Progress.ShowAsync("still installing", new Call(words[0], words[1..]).ReadAllAsync(stop));
        if (code != 0)
        {
            Terminal.Note($"They could not all be installed: {output.Split('\n')[^1]}");
        }
    }

    /// <summary>Says what is left out, and answers the words that leave it out.</summary>
    public static IEnumerable<string> LeaveOut()
    {
        foreach (var need in All.Where(need => !need.Programs.All(Tools.Has)))
        {
            Terminal.Say($"Left out: {need.LeftOut}");
            yield return "--filter-not-trait";
            yield return $"Needs={need.Trait}";
        }
    }
}
