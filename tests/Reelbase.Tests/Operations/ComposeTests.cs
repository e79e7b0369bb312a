using System.Text.RegularExpressions;
using Reelbase.Tests.Support;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Reelbase.Tests.Operations;

/// <summary>The compose file as a YAML reader sees it, with its anchors filled in: which services there are, who gets which secret, and what each may do.</summary>
[Trait("Check", "yes")]
public sealed partial class ComposeTests
{
    private static readonly Dictionary<string, object> File = Read();
    private static readonly Dictionary<string, Dictionary<object, object>> Services = Map(File["services"])
        .ToDictionary(one => (string)one.Key, one => (Dictionary<object, object>)one.Value);

    /// <summary>The roles that own nothing; each logs in with a password of its own.</summary>
    private static readonly string[] Roles = ["reelbase_admin", "reelbase_api", "reelbase_worker"];

    [Fact]
    public void There_are_the_database_the_migration_the_node_and_the_command_line()
    {
        Assert.Equal(["admin", "migrate", "postgres", "reelbase"], Services.Keys.Order());
        // What is started by "up" is all but the command line.
        Assert.Equal(["admin"], Services.Where(service => service.Value.ContainsKey("profiles")).Select(service => service.Key));
        Assert.Equal(["tools"], Texts(Services["admin"]["profiles"]));
    }

    [Fact]
    public void The_migration_runs_once_before_the_node_and_after_the_database()
    {
        Assert.Equal("no", Services["migrate"]["restart"]);
        Assert.Contains("dotnet Reelbase.Server.dll migrate ", Texts(Services["migrate"]["entrypoint"])[^1], StringComparison.Ordinal);
        Assert.Equal([("postgres", "service_healthy")], Conditions("migrate"));
        Assert.Equal([("migrate", "service_completed_successfully")], Conditions("reelbase"));
        Assert.Equal("unless-stopped", Services["reelbase"]["restart"]);
        Assert.True(Services["postgres"].ContainsKey("healthcheck"));
        // No other service migrates: the node is started as it is.
        Assert.False(Services["reelbase"].ContainsKey("entrypoint") || Services["reelbase"].ContainsKey("command"));
    }

    [Fact]
    public void Each_service_gets_its_own_addresses_of_the_database_and_no_others()
    {
        Assert.Equal(["api as reelbase_api", "worker as reelbase_worker"], Addresses("reelbase"));
        Assert.Equal(["admin as reelbase_admin", "api as reelbase_api", "worker as reelbase_worker"], Addresses("admin"));
        Assert.Equal(["admin as reelbase_admin", "api as reelbase_api", "owner as postgres", "worker as reelbase_worker"], Addresses("migrate"));
        Assert.Empty(Addresses("postgres"));
    }

    [Fact]
    public void Nothing_that_serves_holds_the_superusers_or_the_admin_roles_password()
    {
        Assert.Equal(["ADMIN_PASSWORD", "API_PASSWORD", "POSTGRES_PASSWORD", "WORKER_PASSWORD"], Secrets("migrate"));
        Assert.Equal(["POSTGRES_PASSWORD"], Secrets("postgres"));
        Assert.Equal(["API_PASSWORD", "WORKER_PASSWORD"], Secrets("reelbase"));
        Assert.Equal(["ADMIN_PASSWORD", "API_PASSWORD", "WORKER_PASSWORD"], Secrets("admin"));
        // A node reads a file of its own; what compose fills in (.env) stays with compose.
        foreach (var name in new[] { "reelbase", "admin" })
        {
            Assert.Equal("node.env", Services[name]["env_file"]);
        }
        foreach (var name in new[] { "migrate", "postgres" })
        {
            Assert.False(Services[name].ContainsKey("env_file"));
        }
        var node = System.IO.File.ReadAllText(Repository.PathOf("deploy/node.env.example"));
        Assert.DoesNotMatch("(?m)^[^#]*(_PASSWORD|ConnectionString)", node);
        // Each secret has to be set; there is no value to fall back to.
        Assert.All(Secret().Matches(System.IO.File.ReadAllText(Repository.PathOf("deploy/compose.yaml"))), match => Assert.DoesNotContain(":-", match.Value));
        Assert.All(Roles, role => Assert.Contains($"{role[9..].ToUpperInvariant()}_PASSWORD", Secrets("migrate")));
    }

    [Fact]
    public void What_runs_our_program_may_do_nothing_but_run_it()
    {
        foreach (var (name, service) in Services.Where(service => service.Key != "postgres"))
        {
            Assert.Equal((name, "true"), (name, service["read_only"]));
            Assert.Equal(["ALL"], Texts(service["cap_drop"]));
            Assert.Equal(["no-new-privileges:true"], Texts(service["security_opt"]));
            Assert.Empty(service.Keys.Cast<string>().Intersect(["privileged", "cap_add", "pid", "network_mode", "ipc", "devices", "userns_mode", "user"]));
            Assert.All(
                service.TryGetValue("volumes", out var volumes) ? Texts(volumes) : [],
                volume => Assert.Matches("^data:/data$|^\\./secrets:/secrets:ro$", volume)
            );
        }
        // One address, on this machine alone: TLS is a proxy's work.
        Assert.Equal(
            ["reelbase: 127.0.0.1:8080:8080"],
            Services.Where(s => s.Value.ContainsKey("ports")).SelectMany(s => Texts(s.Value["ports"]).Select(port => $"{s.Key}: {port}"))
        );
    }

    [Fact]
    public void Every_image_comes_from_a_setting_that_pin_images_fills_with_a_digest()
    {
        var pinned = Pins();
        Assert.Equal(["POSTGRES_IMAGE", "RUNTIME_IMAGE", "SDK_IMAGE"], pinned.Keys.Order());
        var built = Services.Values.Where(service => service.ContainsKey("build")).Select(service => Map(Map(service["build"])["args"])).ToList();
        Assert.Equal(3, built.Count);
        foreach (var name in new[] { "SDK_IMAGE", "RUNTIME_IMAGE" })
        {
            Assert.All(built, arguments => Assert.Equal($"${{{name}:-{pinned[name]}}}", arguments[name]));
        }
        Assert.Equal($"${{POSTGRES_IMAGE:-{pinned["POSTGRES_IMAGE"]}}}", Services["postgres"]["image"]);
        // What is built here is called so and pulled from nowhere.
        Assert.All(Services.Where(service => service.Key != "postgres"), service => Assert.Equal("reelbase", service.Value["image"]));
    }

    private static Dictionary<string, string> Pins() =>
        Regex
            .Match(System.IO.File.ReadAllText(Repository.PathOf("deploy/pin-images")), "(?m)^IMAGES=\"(.*)\"$")
            .Groups[1]
            .Value.Split(' ')
            .Select(pair => pair.Split('='))
            .ToDictionary(pair => pair[0], pair => pair[1]);

    private static string[] Addresses(string service) =>
        [
            .. Environment(service)
                .Where(one => one.Key.StartsWith("REELBASE__Database__", StringComparison.Ordinal))
                .Select(one =>
                    $"{Name().Match(one.Key).Groups[1].Value.ToLowerInvariant() switch { "" => "owner", var name => name }} as {new Uri(Filled(one.Value)).UserInfo.Split(':')[0]}"
                )
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>The passwords that are filled in anywhere in a service.</summary>
    private static string[] Secrets(string service) =>
        [.. Secret().Matches(Flat(Services[service])).Select(match => match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal)];

    private static (string, string)[] Conditions(string service) =>
        [.. Map(Services[service]["depends_on"]).Select(one => ((string)one.Key, (string)Map(one.Value)["condition"]))];

    private static Dictionary<string, string> Environment(string service) =>
        Services[service].TryGetValue("environment", out var found) ? Map(found).ToDictionary(one => (string)one.Key, one => (string)one.Value) : [];

    private static string Filled(string text) => Secret().Replace(text, "filled");

    private static string Flat(object node) =>
        node switch
        {
            Dictionary<object, object> map => string.Join('\n', map.Select(one => $"{one.Key}: {Flat(one.Value)}")),
            List<object> list => string.Join('\n', list.Select(Flat)),
            _ => node?.ToString() ?? "",
        };

    private static Dictionary<object, object> Map(object node) => (Dictionary<object, object>)node;

    private static string[] Texts(object node) => [.. ((List<object>)node).Cast<string>()];

    private static Dictionary<string, object> Read()
    {
        using var reader = new StreamReader(Repository.PathOf("deploy/compose.yaml"));
        return new DeserializerBuilder().WithDuplicateKeyChecking().Build().Deserialize<Dictionary<string, object>>(new MergingParser(new Parser(reader)));
    }

    [GeneratedRegex(@"\$\{([A-Z]+_PASSWORD)[^}]*\}")]
    private static partial Regex Secret();

    [GeneratedRegex("^REELBASE__Database__([A-Za-z]*)ConnectionString$")]
    private static partial Regex Name();
}
