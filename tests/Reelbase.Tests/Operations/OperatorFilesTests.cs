using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>What lies beside the program for those who run it: rules, dashboards, runbooks, requests to try.</summary>
public sealed class OperatorFilesTests
{
    private static readonly string Rules = Repository.PathOf("deploy/observability/alerts.rules.yml");

    [Theory]
    [Trait("Needs", "promtool")]
    [InlineData("check", "rules", "deploy/observability/alerts.rules.yml")]
    [InlineData("test", "rules", "deploy/observability/alerts.test.yml")]
    public async Task Prometheus_own_tool_takes_the_alert_rules(params string[] arguments)
    {
        using var tool = Process.Start(
            new ProcessStartInfo("promtool", [arguments[0], arguments[1], Repository.PathOf(arguments[2])])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var output = await tool.StandardOutput.ReadToEndAsync() + await tool.StandardError.ReadToEndAsync();
        await tool.WaitForExitAsync();
        Assert.True(tool.ExitCode == 0, output);
        Assert.Contains("SUCCESS", output, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Check", "yes")]
    public async Task Each_alert_names_a_runbook_that_exists()
    {
        var runbooks = Regex.Matches(await File.ReadAllTextAsync(Rules), "runbook: (\\S+)").Select(match => match.Groups[1].Value).ToList();
        Assert.True(runbooks.Count >= 10);
        Assert.All(runbooks, runbook => Assert.True(File.Exists(Repository.PathOf(runbook)), runbook));
    }

    [Fact]
    [Trait("Check", "yes")]
    public async Task Rules_and_dashboard_ask_for_metrics_that_exist()
    {
        var known = await File.ReadAllTextAsync(Repository.PathOf("docs/metrics.md"));
        var asked = new[] { Rules, Repository.PathOf("deploy/observability/grafana-dashboard.json") }
            .SelectMany(file => Regex.Matches(File.ReadAllText(file), "reelbase_[a-z_]+"))
            .Select(match => Regex.Replace(match.Value, "_(bucket|count|sum)$", ""))
            .ToHashSet();
        Assert.True(asked.Count >= 10);
        Assert.All(asked, metric => Assert.Contains($"`{metric}`", known, StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Check", "yes")]
    public async Task Every_operation_of_an_app_has_a_request_to_try_and_every_request_is_an_operation()
    {
        var document = JsonDocument.Parse(await File.ReadAllTextAsync(Repository.PathOf("docs/api/openapi.v1.json"))).RootElement;
        var operations = (
            from path in document.GetProperty("paths").EnumerateObject()
            from operation in path.Value.EnumerateObject()
            select (Method: operation.Name.ToUpperInvariant(), Path: path.Name, Feature: operation.Value.GetProperty("tags")[0].GetString()!)
        ).ToList();
        var wrong = new List<string>();
        var tried = new HashSet<(string, string)>();
        foreach (var feature in operations.Select(operation => operation.Feature).Where(feature => feature != "Operations").Distinct())
        {
            // A tag of the document keeps its name wherever its code moves; the file is named after it.
            var name = Regex.Replace(feature, "(?<=[a-z])(?=[A-Z])", "-").ToLowerInvariant() + ".http";
            var files = Repository.Files("src/Reelbase.Server/Features", name).ToArray();
            if (files.Length != 1)
            {
                wrong.Add($"{feature} has {files.Length} .http files");
                continue;
            }
            foreach (
                Match request in Regex.Matches(
                    await File.ReadAllTextAsync(files[0]),
                    "^(GET|POST|PUT|DELETE) \\{\\{server\\}\\}([^?\\s]*)",
                    RegexOptions.Multiline
                )
            )
            {
                var (method, path) = (request.Groups[1].Value, request.Groups[2].Value);
                var found = operations.Where(operation => operation.Method == method && Matches(operation.Path, path)).ToList();
                tried.UnionWith(found.Select(operation => (operation.Method, operation.Path)));
                if (found.Count == 0)
                {
                    wrong.Add($"{Path.GetFileName(files[0])}: there is no {method} {path}");
                }
            }
        }
        Assert.Empty(wrong);
        // A HEAD is its GET without a body; the admins' operations have a console to be tried in, and a few examples here.
        Assert.Empty(
            from operation in operations
            where operation.Method != "HEAD" && operation.Feature is not ("Operations" or "Admin") && !tried.Contains((operation.Method, operation.Path))
            select $"{operation.Feature}: {operation.Method} {operation.Path}"
        );
    }

    private static bool Matches(string template, string path) => Regex.IsMatch(path, "^" + Regex.Replace(Regex.Escape(template), @"\\\{\w+}", ".+") + "$");
}
