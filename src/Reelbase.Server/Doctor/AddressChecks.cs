using System.Text.Json;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Doctor;

/// <summary>Whether <c>Server:PublicUrl</c> leads to this installation, through whatever stands in front, and lets webhooks in.</summary>
internal static class AddressChecks
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Asks as a phone and as a provider would.</summary>
    public static async Task<IReadOnlyList<Finding>> ExamineAsync(WebApplicationBuilder builder, Facts facts)
    {
        var server = SettingChecks.Of<ServerOptions>(builder, "Server");
        if (server.PublicUrl is not { Length: > 0 } url)
        {
            return
            [
                Finding.Warning(
                    "address",
                    "Server:PublicUrl",
                    "not set: providers cannot reach us, jobs are polled, and links lead nowhere",
                    "set the address that phones use"
                ),
            ];
        }
        var findings = new List<Finding>();
        if (builder.Environment.IsProduction() && url.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
        {
            findings.Add(
                Finding.Warning("address", "Server:PublicUrl", $"{url} is not https: everybody on the way reads tokens", "put TLS in front (deploy/README.md)")
            );
        }
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Limit };
        var (answer, found) = await AskAsync(http, facts, url);
        findings.AddRange(found);
        if (answer)
        {
            findings.Add(await AskForWebhooksAsync(http, url));
        }
        return findings;
    }

    private static async Task<(bool IsOurs, IReadOnlyList<Finding> Findings)> AskAsync(HttpClient http, Facts facts, string url)
    {
        string text;
        try
        {
            text = await http.GetStringAsync(url.TrimEnd('/') + "/health/ready");
        }
        catch (HttpRequestException error) when (error.StatusCode is { } status)
        {
            return (
                false,
                [
                    Finding.Fault(
                        "address",
                        "Server:PublicUrl",
                        $"{url}/health/ready answers {(int)status}",
                        "check whether the proxy passes the path and the Host header on"
                    ),
                ]
            );
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
        {
            var why = error is HttpRequestException { HttpRequestError: var kind } ? kind.ToString() : "no answer in time";
            return (
                false,
                [
                    Finding.Fault(
                        "address",
                        "Server:PublicUrl",
                        $"nobody answers at {url} ({why})",
                        "correct it, or start the server and the proxy in front of it"
                    ),
                ]
            );
        }
        var ready = Read(text);
        if (ready is not { } known || !known.TryGetProperty("installation", out var installation))
        {
            return (
                false,
                [Finding.Fault("address", "Server:PublicUrl", $"{url} is answered by something that is no Reelbase", "correct it, or the proxy's target")]
            );
        }
        if (installation.GetString() != facts.Installation)
        {
            return (false, [Finding.Fault("address", "Server:PublicUrl", $"{url} is answered by another installation", "correct it, or the proxy's target")]);
        }
        var warnings = known.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!).ToList();
        return (
            true,
            [
                Finding.Ok("address", $"{url} is answered by this installation"),
                // The database says the same a minute later, with the address.
                .. facts.Nodes.Any(node => node.IsAlive && node.UntrustedPeer is not null)
                    ? []
                    : warnings
                        .Where(warning => warning == ForwardingMonitor.Warning)
                        .Select(warning => Finding.Fault("proxies", "Server:TrustedProxies", warning, "name your proxy and restart")),
            ]
        );
    }

    private static async Task<Finding> AskForWebhooksAsync(HttpClient http, string url)
    {
        const string Remedy = "let the proxy pass /webhooks/ on without sign-in, filter or redirect";
        try
        {
            using var content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(url.TrimEnd('/') + "/webhooks/fal/doctor", content);
            // Ours refuses a stranger in the shape of our errors; a gate in front answers in its own.
            return
                Read(await answer.Content.ReadAsStringAsync()) is { } body && body.TryGetProperty("error", out var error) && error.TryGetProperty("code", out _)
                ? Finding.Ok("webhooks", "providers can reach us")
                : Finding.Fault("webhooks", "Server:PublicUrl", $"{url}/webhooks/ is answered {(int)answer.StatusCode} by something in front", Remedy);
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
        {
            return Finding.Fault("webhooks", "Server:PublicUrl", $"{url}/webhooks/ is not answered", Remedy);
        }
    }

    private static JsonElement? Read(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
