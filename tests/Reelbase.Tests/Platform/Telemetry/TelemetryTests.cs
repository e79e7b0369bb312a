using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Reelbase.Server.Platform.Telemetry;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>What the operator sees, and what nobody may see there.</summary>
public sealed class TelemetryTests(TelemetryTests.Watched system) : IClassFixture<TelemetryTests.Watched>
{
    /// <summary>A server as a process of its own, with a collector, all logs, and a trusted proxy in front.</summary>
    public sealed class Watched : TestSystem
    {
        public Collector Collector { get; private set; } = null!;

        public override async ValueTask InitializeAsync()
        {
            Collector = await Collector.StartAsync();
            await base.InitializeAsync();
            await Server.StopAsync();
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await Collector.DisposeAsync();
        }

        public Task<ServerProcess> StartAsync(Dictionary<string, string?>? more = null)
        {
            var settings = BaseSettings(Url, SimulatorsUrl, DataDirectory);
            settings["Database:ConnectionString"] = Owner;
            settings["Telemetry:OtlpEndpoint"] = Collector.Url;
            settings["Telemetry:JsonLogs"] = "true";
            // As behind a gateway of one's own: the phone's trace goes on, so that a test can find everything by it.
            settings["Telemetry:TrustIncomingTraces"] = "true";
            settings["Telemetry:StatisticsSeconds"] = "0.3";
            settings["Alerts:ActivitySeconds"] = "1";
            settings["Telemetry:SentryDsn"] = Collector.Url.Replace("http://", "http://public@", StringComparison.Ordinal) + "/1";
            foreach (var (key, value) in more ?? [])
            {
                settings[key] = value;
            }
            return ServerProcess.StartAsync(Url, settings, "Debug", 1_000_000);
        }
    }

    [Fact]
    public async Task Nothing_that_belongs_to_a_person_is_in_logs_traces_metrics_alerts_or_the_error_log()
    {
        const string prompt = "zebrafish-umbrella-planted";
        const string mail = "planted.person@mail.example";
        const string address = "198.51.100.77";
        const string address6 = "2001:db8:77:88::99";
        var device = Guid.NewGuid().ToString();
        var pushToken = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        var secrets = new List<string> { prompt, mail, address, address6, device, pushToken, TestSystem.DeviceKey.Split('\n')[1] };
        string metrics;
        string logs;
        var server = await system.StartAsync();
        await using (server)
        {
            using var http = new HttpClient { BaseAddress = new Uri(system.Url) };
            http.DefaultRequestHeaders.Add("X-Forwarded-For", address);
            var deviceToken = Phone.TokenOf("planted phone");
            var phone = await Phone.OnboardAsync(system.Url, device, "planted phone");
            secrets.AddRange([deviceToken, phone.AccessToken, phone.AccessToken.Split('.')[2], phone.RefreshToken]);
            phone.Http.DefaultRequestHeaders.Add("X-Forwarded-For", address);
            await phone.PostAsync("/register-push-token", new { token = pushToken });
            await system.QueryAsync<string>($"select add_credits('{phone.UserId}', 500, 'admin_adjustment')::text");
            var apple = new Apple(system.Control);
            var (idToken, code) = await apple.SignInAsync("planted-apple-subject", mail);
            secrets.AddRange([idToken, code, "planted-apple-subject"]);
            Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/merge-guest-user", new { id_token = idToken, authorization_code = code })).Status);
            var (_, signed) = await apple.BuyAsync(Apple.Pack25, phone.UserId);
            secrets.Add(signed);
            Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/update-credits", new { signed_transaction = signed })).Status);
            var last = await phone.GenerateAndWatchAsync(prompt);
            var video = new Uri(last.GetProperty("video_url").GetString()!);
            secrets.Add(video.Query.Split('=')[^1]);
            await http.GetByteArrayAsync(video);
            await http.GetAsync(video.AbsolutePath + "?token=planted-file-token");
            secrets.Add("planted-file-token");
            foreach (var more in new[] { "[fail]", "[reject]", "[garbage]", "[500]", "[redirect-private]", "[forged]", "[foreign]" })
            {
                await phone.GenerateAndWatchAsync($"{prompt} {more}");
            }
            // Everything that goes wrong, with something planted in each place that a request has.
            foreach (
                var path in new[]
                {
                    "/generate-video",
                    "/update-credits",
                    "/merge-guest-user",
                    "/device-check",
                    "/report-content",
                    "/nowhere/planted-path-piece",
                }
            )
            {
                foreach (
                    var body in new[]
                    {
                        $$"""{"prompt":"{{prompt}}","device_id":"{{device}}","email":"{{mail}}","signed_transaction":"planted-jws","device_token":7}""",
                        $"broken {prompt}",
                    }
                )
                {
                    await phone.PostTextAsync($"{path}?note=planted-query-value", body, Guid.NewGuid().ToString());
                }
            }
            secrets.AddRange([
                "planted-path-piece",
                "planted-query-value",
                "planted-jws",
                "planted-bearer",
                "planted-refresh-token-value",
                "planted-webhook-token",
            ]);
            using (var bad = new HttpRequestMessage(HttpMethod.Get, "/get-user-credits"))
            {
                bad.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "planted-bearer");
                bad.Headers.Remove("X-Forwarded-For");
                bad.Headers.Add("X-Forwarded-For", address6);
                await http.SendAsync(bad);
            }
            await http.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = "planted-refresh-token-value" });
            await http.PostAsJsonAsync("/webhooks/fal/planted-webhook-token", new { prompt });
            await using var outage = await system.OutageAsync("fal", "down");
            var job = (await phone.GenerateAsync(prompt))["job_id"].GetString()!;
            await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from job_submissions"), attempts => attempts >= 2);
            await outage.EndAsync();
            await phone.WatchAsync(job);
            // A fault of ours whose cause holds what the user wrote: PostgreSQL names the failing row.
            await system.ExecuteAsync($"alter table video_jobs add constraint broken check (prompt <> '{prompt} breaks')");
            Assert.Equal("ERR_6003", (await phone.GenerateAsync($"{prompt} breaks")).Code);
            await system.ExecuteAsync("alter table video_jobs drop constraint broken");
            // A database that answers nothing: what its driver says is logged too.
            await system.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename <> current_user");
            await phone.GetAsync("/get-user-credits");
            await system.ExecuteAsync("select raise_alert('error', 'planted', 'something happened')");
            await Eventually.IsAsync(
                async () => (await system.Control.GetStringAsync("/_control/telegram/messages")).Contains("something happened", StringComparison.Ordinal),
                isSent => isSent
            );
            using var scraper = new HttpClient { BaseAddress = new Uri(system.Url) };
            metrics = await scraper.GetStringAsync("/metrics");
            await server.StopAsync();
            logs = server.LastLines;
        }
        Assert.Contains("reelbase_jobs_total", metrics, StringComparison.Ordinal);
        Assert.Contains("\"trace_id\"", logs, StringComparison.Ordinal);
        Assert.Contains("\"level\":\"debug\"", logs, StringComparison.Ordinal);
        Assert.NotEmpty(system.Collector.Spans());
        var places = new Dictionary<string, string>
        {
            ["logs"] = logs,
            ["traces"] = system.Collector.Text("traces"),
            ["metrics"] = metrics + system.Collector.Text("metrics"),
            ["exported logs"] = system.Collector.Text("logs"),
            ["Sentry"] = system.Collector.Text("sentry"),
            ["alerts"] =
                string.Join('\n', await system.RowsAsync("select a::text from alerts a")) + await system.Control.GetStringAsync("/_control/telegram/messages"),
            ["error_log"] = string.Join('\n', await system.RowsAsync("select e::text from error_log e")),
        };
        Assert.Contains("violates check constraint", places["Sentry"], StringComparison.Ordinal);
        Assert.All(places, place => Assert.True(place.Value.Length > 100, $"{place.Key} is empty, so nothing would be shown"));
        Assert.Empty(
            from place in places
            from secret in secrets.SelectMany(Forms).Distinct()
            where place.Value.Contains(secret, StringComparison.OrdinalIgnoreCase)
            select $"{place.Key}: {secret} in ...{Around(place.Value, secret)}..."
        );
        Assert.All(logs.Split('\n').Where(line => line.StartsWith('{')), line => JsonDocument.Parse(line).Dispose());
    }

    [Fact]
    public async Task One_trace_goes_from_the_phone_through_the_worker_to_the_provider_and_back()
    {
        await using var server = await system.StartAsync();
        var phone = await system.NewGuestAsync(100);
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        phone.Http.DefaultRequestHeaders.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
        var token = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        await phone.PostAsync("/register-push-token", new { token });
        var job = (await phone.GenerateAsync("A traced video"))["job_id"].GetString()!;
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
        // And an error of the same phone in the same trace: its id is what a user would read to support.
        var error = await phone.PostAsync("/report-content", new { job_id = Guid.NewGuid(), reason = "x" });
        Assert.Equal(trace, error["error"].GetProperty("trace_id").GetString());
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from push_notifications where job_id = '{job}' and status = 'sent'"),
            sent => sent == 1
        );
        await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from error_log where trace_id = '{trace}'"), rows => rows > 0);
        await server.StopAsync();

        // Step one of docs/runbooks/trace.md.
        var (code, output) = await ServerProcess.RunAsync("admin", "trace", trace, "--database", system.Owner);
        Assert.Equal(0, code);
        foreach (
            var what in new[]
            {
                "error answered",
                "job accepted",
                "video_generation -8",
                "submission 1",
                "webhook",
                "file",
                "job completed",
                "push",
                job,
                "ERR_4007 /report-content",
            }
        )
        {
            Assert.Contains(what, output, StringComparison.Ordinal);
        }
        Assert.DoesNotContain("A traced video", output, StringComparison.Ordinal);
        // Step two: the logs.
        var lines = server.LastLines.Split('\n').Where(line => line.Contains(trace, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(lines);
        // Step three: the spans.
        var spans = system.Collector.Spans().Where(span => span.TraceId == trace).ToList();
        var names = spans.Select(span => span.Name).ToList();
        Assert.Contains("POST /generate-video", names);
        Assert.Contains("VideoJobWorker", names);
        Assert.Contains("WebhookWorker", names);
        Assert.Contains("PushWorker", names);
        var worker = spans.First(span => span.Name == "VideoJobWorker");
        Assert.Contains(spans, span => span.SpanId == worker.ParentId && span.Name == "POST /generate-video");
        Assert.Contains(spans, span => span.Name == "POST" && Ancestors(spans, span).Contains("VideoJobWorker"));
        var back = spans.First(span => span.Name == "WebhookWorker");
        var webhook = Assert.Single(back.LinkedTraces);
        Assert.Contains(system.Collector.Spans(), span => span.TraceId == webhook && span.Name.StartsWith("POST /webhooks/", StringComparison.Ordinal));
        // A job's id finds the same.
        Assert.Contains("job completed", (await ServerProcess.RunAsync("admin", "trace", job, "--database", system.Owner)).Output, StringComparison.Ordinal);
        Assert.Equal(1, (await ServerProcess.RunAsync("admin", "trace", "0123", "--database", system.Owner)).Code);
    }

    [Fact]
    public async Task The_metrics_of_the_business_come_from_the_database_and_outlive_the_process()
    {
        async Task<double> ReadAsync(HttpClient http, string metric, string labels)
        {
            var text = await http.GetStringAsync("/metrics");
            var match = Regex.Match(text, $@"^{metric}\{{[^}}]*{labels}[^}}]*\}} ([\d.e+]+)", RegexOptions.Multiline);
            return match.Success ? double.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) : -1;
        }
        using var http = new HttpClient { BaseAddress = new Uri(system.Url) };
        double charged;
        await using (await system.StartAsync())
        {
            var phone = await system.NewGuestAsync(100);
            Assert.Equal("completed", (await phone.GenerateAndWatchAsync("Counted")).GetProperty("status").GetString());
            Assert.Equal("failed", (await phone.GenerateAndWatchAsync("Counted [fail]")).GetProperty("status").GetString());
            await http.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = "this is not one of ours" });
            await http.GetAsync("/get-user-credits");
            charged = await system.QueryAsync<long>("select -sum(change) from quota_log where reason = 'video_generation'");
            var refunded = await system.QueryAsync<long>("select sum(change) from quota_log where reason = 'generation_failed_refund'");
            await Eventually.IsAsync(() => ReadAsync(http, "reelbase_ledger_credits_total", "reason=\"video_generation\""), value => value == charged);
            await Eventually.IsAsync(() => ReadAsync(http, "reelbase_ledger_credits_total", "reason=\"generation_failed_refund\""), value => value == refunded);
            var text = await http.GetStringAsync("/metrics");
            var documented = await File.ReadAllTextAsync(Repository.PathOf("docs/metrics.md"));
            Assert.All(
                Regex.Matches(text, "^# TYPE (reelbase_[a-z_]+) ", RegexOptions.Multiline).Select(match => match.Groups[1].Value),
                metric => Assert.Contains($"`{metric}`", documented, StringComparison.Ordinal)
            );
            foreach (
                var metric in new[]
                {
                    "reelbase_job_duration_seconds_bucket",
                    "reelbase_provider_calls_total",
                    "reelbase_provider_call_duration_seconds_count",
                    "http_server_request_duration_seconds_count",
                    "db_client_connection",
                    "reelbase_errors_total",
                    "reelbase_refresh_failures_total",
                }
            )
            {
                Assert.Contains(metric, text, StringComparison.Ordinal);
            }
        }
        await using (await system.StartAsync(new() { ["Telemetry:MetricsToken"] = "scrape" }))
        {
            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/metrics")).StatusCode);
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "scrape");
            await Eventually.IsAsync(() => ReadAsync(http, "reelbase_ledger_credits_total", "reason=\"video_generation\""), value => value == charged);
        }
        // Nobody outside reads them when there is no token: a forwarded address is the true one behind a proxy.
        await using (await system.StartAsync())
        {
            using var outside = new HttpRequestMessage(HttpMethod.Get, "/metrics");
            outside.Headers.Add("X-Forwarded-For", "198.51.100.1");
            http.DefaultRequestHeaders.Authorization = null;
            Assert.Equal(HttpStatusCode.NotFound, (await http.SendAsync(outside)).StatusCode);
        }
    }

    [Theory]
    [InlineData("token eyJhbGciOi.eyJzdWIi.c2ln end", "token [token] end")]
    [InlineData("Authorization: Bearer abc.def", "Authorization: [token]")]
    [InlineData("https://api.telegram.example/bot123456:AAE-xyz_1/sendMessage", "https://api.telegram.example[token]/sendMessage")]
    [InlineData("mail a.b+c@d.example!", "mail [e-mail]!")]
    [InlineData("from 198.51.100.7 port 1", "from [address] port 1")]
    [InlineData("from 2001:db8::1:2 now", "from [address] now")]
    [InlineData("listening on http://127.0.0.1:5080 at 10:20:30", "listening on http://127.0.0.1:5080 at 10:20:30")]
    [InlineData("GET /x?token=abc&y=1 done", "GET /x?[query] done")]
    [InlineData("job 019a0000-0000-7000-8000-000000000001 ended", "job 019a0000-0000-7000-8000-000000000001 ended")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- x", "[key] x")]
    public void The_last_net_takes_out_what_looks_like_a_secret(string text, string clean) => Assert.Equal(clean, Redactor.Clean(text));

    private static List<string> Ancestors(List<Span> spans, Span span)
    {
        var names = new List<string>();
        for (var parent = span.ParentId; spans.Find(other => other.SpanId == parent) is { } found && names.Count < 50; parent = found.ParentId)
        {
            names.Add(found.Name);
        }
        return names;
    }

    private static IEnumerable<string> Forms(string secret) =>
        [
            secret,
            Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)).TrimEnd('='),
            Uri.EscapeDataString(secret),
            Convert.ToHexString(Encoding.UTF8.GetBytes(secret)),
        ];

    private static string Around(string text, string secret)
    {
        var at = text.IndexOf(secret, StringComparison.OrdinalIgnoreCase);
        return text[Math.Max(0, at - 150)..Math.Min(text.Length, at + secret.Length + 50)];
    }
}
