using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Simulators.Fal;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>Everything that may come to a webhook address, in thousands, and what of it has an effect.</summary>
public sealed class WebhookTests : IAsyncLifetime
{
    private static readonly int Forgeries = Campaign.Share(3000, 50_000);
    private const int Duplicates = 10_000;
    private const int Parallel = 16;
    private readonly Patient _system = new();

    /// <summary>Polling is so far away that only webhooks can end a job.</summary>
    private sealed class Patient : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Generation:PollWithWebhookSeconds"] = "300",
                ["Generation:MaxPollSeconds"] = "300",
                ["Generation:SubmissionDeadlineSeconds"] = "300",
                ["Callbacks:MaxRetries"] = "2",
                ["Callbacks:RetryBaseSeconds"] = "0.05",
                ["Callbacks:RetryCapSeconds"] = "0.1",
            };
    }

    public ValueTask InitializeAsync() => _system.InitializeAsync();

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    private FalState Fal => _system.Simulators.Services.GetRequiredService<FalState>();

    private FalWebhooks Signer => _system.Simulators.Services.GetRequiredService<FalWebhooks>();

    [Fact]
    [Campaign]
    public async Task Forged_stale_replayed_swapped_foreign_and_truncated_events_change_nothing()
    {
        var random = new Random(Campaign.Seed);
        var (phone, mine, job) = await RunningAsync();
        var (_, others, _) = await RunningAsync();
        var finished = await FinishedAsync(phone);
        // A bill that the work asks for meanwhile would be a change, too.
        await _system.ExecuteAsync("update job_submissions set bill_after = null");
        var before = await MoneyAndJobsAsync();
        using var http = new HttpClient { Timeout = Patience.Span };
        var answers = new ConcurrentDictionary<(string Kind, int Status), int>();
        var kinds = Enumerable.Range(0, Forgeries).Select(_ => (Kind: random.Next(Kinds.Length), Salt: random.Next())).ToList();
        await System.Threading.Tasks.Parallel.ForEachAsync(
            kinds,
            new ParallelOptions { MaxDegreeOfParallelism = Parallel },
            async (forgery, cancellationToken) =>
            {
                using var message = Kinds[forgery.Kind].Make(this, new(mine, others, finished), new Random(forgery.Salt));
                using var response = await http.SendAsync(message, cancellationToken);
                answers.AddOrUpdate((Kinds[forgery.Kind].Name, (int)response.StatusCode), 1, (_, count) => count + 1);
            }
        );
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", answers.OrderBy(answer => answer.Key)));
        // Everything was answered, and whatever was not truly signed was turned away.
        Assert.Equal(Forgeries, answers.Values.Sum());
        Assert.All(answers.Keys, answer => Assert.Equal(Kinds.Single(kind => kind.Name == answer.Kind).Status, answer.Status));
        Assert.Equal(Kinds.Length, answers.Count);
        await Eventually.IsAsync(() => _system.RowsAsync("select count(*) from webhook_deliveries where status = 'pending'"), rows => rows is ["0"]);
        Assert.Equal(before, await MoneyAndJobsAsync());
        await _system.AssertLedgerAsync();

        // The true event still has its place.
        Assert.True((await SendAsync(http, Signer.Sign(mine.WebhookUrl!, mine.Id, Body(mine)))).IsSuccessStatusCode);
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
    }

    [Fact]
    public async Task Ten_thousand_deliveries_of_one_event_have_one_effect_and_the_server_goes_on_answering()
    {
        var (phone, request, job) = await RunningAsync();
        using var http = new HttpClient { Timeout = Patience.Span };
        using var over = new CancellationTokenSource();
        var waits = new List<double>();
        var watching = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                var watch = System.Diagnostics.Stopwatch.StartNew();
                Assert.Equal(HttpStatusCode.OK, (await phone.GetAsync($"/get-video-status?job_id={job}")).Status);
                waits.Add(watch.Elapsed.TotalMilliseconds);
            }
        });
        var statuses = new ConcurrentDictionary<HttpStatusCode, int>();
        await System.Threading.Tasks.Parallel.ForEachAsync(
            Enumerable.Range(0, Duplicates),
            new ParallelOptions { MaxDegreeOfParallelism = Parallel },
            async (_, _) =>
            {
                using var response = await SendAsync(http, Signer.Sign(request.WebhookUrl!, request.Id, Body(request)));
                statuses.AddOrUpdate(response.StatusCode, 1, (_, count) => count + 1);
            }
        );
        await over.CancelAsync();
        await watching;
        Assert.Equal(Duplicates, statuses[HttpStatusCode.OK]);
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
        Assert.Equal(
            ["1|1|1"],
            await _system.RowsAsync(
                $"select count(*), count(distinct event_id), (select count(*) from storage_objects where job_id = '{job}' and bucket = 'videos') from webhook_deliveries where job_id = '{job}'"
            )
        );
        Assert.Equal(["video_generation|-8"], await _system.RowsAsync($"select reason, change from quota_log where job_id = '{job}'"));
        await _system.AssertLedgerAsync();
        waits.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{waits.Count} reads during the flood: half within {waits[waits.Count / 2]:0} ms, the slowest {waits[^1]:0} ms"
        );
        // Not a speed test: a server that is blocked would answer after the flood.
        Assert.True(waits.Count > 50, $"only {waits.Count} reads were answered during the flood");
    }

    [Fact]
    public async Task A_delivery_that_cannot_be_handled_is_failed_and_can_be_resent_from_the_command_line()
    {
        var (phone, request, job) = await RunningAsync();
        using var http = new HttpClient();
        // The event carries no result and nobody can be asked for it.
        await using var outage = await _system.OutageAsync("fal/fal-ai", "down");
        var body = $"{{\"request_id\": \"{request.Id}\", \"status\": \"OK\", \"payload\": null, \"payload_error\": \"not serialisable\"}}";
        Assert.True((await SendAsync(http, Signer.Sign(request.WebhookUrl!, request.Id, body))).IsSuccessStatusCode);
        await Eventually.IsAsync(() => _system.RowsAsync("select status, retry_count from webhook_deliveries"), rows => rows is ["failed|3"]);
        Assert.Equal("processing", (await phone.GetAsync($"/get-video-status?job_id={job}"))["status"].GetString());
        var id = await _system.QueryAsync<long>("select id from webhook_deliveries");
        var (code, list) = await AdminAsync("deliveries", "--status", "failed");
        Assert.Equal(0, code);
        Assert.Contains($"{id}  ", list, StringComparison.Ordinal);
        Assert.Contains($"job {job}", list, StringComparison.Ordinal);

        request.Finish();
        await outage.EndAsync();
        Assert.Equal(0, (await AdminAsync("resend-delivery", $"{id}")).Code);
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
        Assert.Equal(["processed"], await _system.RowsAsync("select status from webhook_deliveries"));
        Assert.Equal(1, (await AdminAsync("resend-delivery", "999999")).Code);
        Assert.Equal(1, (await AdminAsync("deliveries", "--status", "lost")).Code);
        Assert.Equal(2, (await AdminAsync("resend-delivery", "x")).Code);
    }

    /// <summary>The answer to the submission was lost, and what the result call says at first is nobody's word: the request is known now, and polled.</summary>
    [Fact]
    public async Task A_webhook_that_names_the_request_of_an_ambiguous_submission_lets_it_be_polled()
    {
        var phone = await _system.NewGuestAsync();
        const string prompt = "[timeout] [slow 6] [result 404] Nobody knows";
        var job = (await phone.GenerateAsync(prompt))["job_id"].GetString()!;
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
        Assert.Single(await _system.SubmissionsAsync(prompt));
        Assert.Equal(2, await phone.CreditsAsync());
        await _system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused_whole()
    {
        var (_, request, _) = await RunningAsync();
        using var http = new HttpClient();
        var body = $"{{\"request_id\": \"{request.Id}\", \"status\": \"OK\", \"filler\": \"{new string('x', 1024 * 1024)}\"}}";
        var response = await SendAsync(http, Signer.Sign(request.WebhookUrl!, request.Id, body));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal(["0"], await _system.RowsAsync("select count(*) from webhook_deliveries"));
    }

    [Fact]
    public async Task A_failure_that_is_reported_after_a_success_is_only_a_remark()
    {
        var phone = await _system.NewGuestAsync();
        // The download fails a few times, so the job stays with its first result for a while.
        var accepted = await phone.GenerateAsync("Late bad news [old-address]");
        var job = accepted["job_id"].GetString()!;
        await phone.WatchAsync(job);
        var request = Fal.Requests.Values.Single(request => request.Prompt.StartsWith("Late bad news", StringComparison.Ordinal));
        using var http = new HttpClient();
        var body =
            $"{{\"request_id\": \"{request.Id}\", \"status\": \"ERROR\", \"error\": \"no\", \"payload\": {{\"detail\": [{{\"type\": \"internal_server_error\"}}]}}}}";
        Assert.True((await SendAsync(http, Signer.Sign(request.WebhookUrl!, request.Id, body))).IsSuccessStatusCode);
        Assert.Equal("completed", (await phone.GetAsync($"/get-video-status?job_id={job}"))["status"].GetString());
        Assert.Equal(2, await phone.CreditsAsync());
    }

    [Fact]
    public async Task A_failure_of_an_earlier_attempt_does_not_end_the_one_that_runs()
    {
        var (phone, request, job) = await RunningAsync();
        // As after an answer that said no although the provider had taken the job: it was submitted again, and that attempt runs.
        await _system.ExecuteAsync(
            $"""
            insert into job_submissions (job_id, user_id, provider, attempt, outcome, provider_job_id, webhook_token_hash)
            select job_id, user_id, provider, attempt + 1, 'accepted', 'the second request', sha256('second') from video_jobs where job_id = '{job}';
            update video_jobs set attempt = attempt + 1, provider_job_id = 'the second request' where job_id = '{job}'
            """
        );
        using var http = new HttpClient();
        var failure =
            $"{{\"request_id\": \"{request.Id}\", \"status\": \"ERROR\", \"error\": \"Unexpected status code: 422\", \"payload\": {{\"detail\": [{{\"msg\": \"bad input\", \"type\": \"value_error\"}}]}}}}";
        Assert.True((await SendAsync(http, Signer.Sign(request.WebhookUrl!, request.Id, failure))).IsSuccessStatusCode);
        await Eventually.IsAsync(() => _system.RowsAsync("select status from webhook_deliveries"), rows => rows is ["processed"]);
        Assert.Equal(["the event is about an earlier attempt; another one goes on"], await _system.RowsAsync("select last_error from webhook_deliveries"));
        Assert.Equal(["processing|submitted"], await _system.RowsAsync($"select status, stage from video_jobs where job_id = '{job}'"));
        Assert.Equal(92, await phone.CreditsAsync());
    }

    private sealed record Targets(FalRequest Mine, FalRequest Others, FalRequest Finished);

    private sealed record Kind(string Name, int Status, Func<WebhookTests, Targets, Random, HttpRequestMessage> Make);

    /// <summary>The ways to lie, and the answer that each gets. Those that fal itself has signed are stored and have no effect.</summary>
    private static readonly Kind[] Kinds =
    [
        new("forged", 401, (test, targets, _) => test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Mine.Id, Body(targets.Mine), "forged")),
        new("stale", 401, (test, targets, _) => test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Mine.Id, Body(targets.Mine), "stale")),
        new("foreign", 401, (test, targets, _) => test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Mine.Id, Body(targets.Mine), "foreign")),
        new("tampered", 401, (test, targets, _) => test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Mine.Id, Body(targets.Mine), "tampered")),
        new("changed", 401, Changed),
        new("truncated", 401, Truncated),
        new(
            "truncated and signed",
            400,
            (test, targets, random) => test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Mine.Id, Body(targets.Mine)[..random.Next(1, 100)])
        ),
        new("of another request", 401, (test, targets, _) => test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Others.Id, Body(targets.Mine))),
        new("without a header", 401, WithoutHeader),
        new("with a header twice", 401, WithHeaderTwice),
        new("signature of noise", 401, WithNoise),
        new("swapped", 200, (test, targets, _) => test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Others.Id, Body(targets.Others))),
        new("replayed", 200, (test, targets, _) => test.Signer.Sign(targets.Finished.WebhookUrl!, targets.Finished.Id, Body(targets.Finished))),
        new(
            "unknown address",
            200,
            (test, targets, random) => test.Signer.Sign($"{test._system.Url}/webhooks/fal/{random.Next():x}", targets.Mine.Id, Body(targets.Mine))
        ),
        new("unknown request", 200, UnknownRequest),
        new(
            "at another provider",
            200,
            (test, targets, _) =>
                test.Signer.Sign(targets.Mine.WebhookUrl!.Replace("/fal/", "/pika/", StringComparison.Ordinal), targets.Mine.Id, Body(targets.Mine))
        ),
        new(
            "at a provider without webhooks",
            404,
            (test, targets, _) =>
                test.Signer.Sign(targets.Mine.WebhookUrl!.Replace("/fal/", "/runway/", StringComparison.Ordinal), targets.Mine.Id, Body(targets.Mine))
        ),
    ];

    private static HttpRequestMessage Changed(WebhookTests test, Targets targets, Random random)
    {
        var message = test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Mine.Id, Body(targets.Mine));
        var bytes = Encoding.UTF8.GetBytes(Body(targets.Mine));
        bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(7));
        message.Content = new ByteArrayContent(bytes);
        return message;
    }

    private static HttpRequestMessage Truncated(WebhookTests test, Targets targets, Random random)
    {
        var message = test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Mine.Id, Body(targets.Mine));
        message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Body(targets.Mine))[..random.Next(Body(targets.Mine).Length)]);
        return message;
    }

    private static HttpRequestMessage WithoutHeader(WebhookTests test, Targets targets, Random random)
    {
        var message = test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Mine.Id, Body(targets.Mine));
        var headers = message.Headers.Select(header => header.Key).ToList();
        message.Headers.Remove(headers[random.Next(headers.Count)]);
        return message;
    }

    private static HttpRequestMessage WithHeaderTwice(WebhookTests test, Targets targets, Random random)
    {
        var message = test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Mine.Id, Body(targets.Mine));
        var headers = message.Headers.Select(header => header.Key).ToList();
        message.Headers.Add(headers[random.Next(headers.Count)], "again");
        return message;
    }

    private static HttpRequestMessage WithNoise(WebhookTests test, Targets targets, Random random)
    {
        var message = test.Signer.Sign(targets.Mine.WebhookUrl!, targets.Mine.Id, Body(targets.Mine));
        var noise = new byte[random.Next(2) == 0 ? 64 : random.Next(200)];
        random.NextBytes(noise);
        message.Headers.Remove("X-Fal-Webhook-Signature");
        message.Headers.TryAddWithoutValidation(
            "X-Fal-Webhook-Signature",
            random.Next(2) == 0 ? Convert.ToHexStringLower(noise) : Convert.ToBase64String(noise)
        );
        return message;
    }

    /// <summary>Signed by fal for our account, about a request that this installation never made: at an address that belongs to another one.</summary>
    private static HttpRequestMessage UnknownRequest(WebhookTests test, Targets targets, Random random)
    {
        var id = new Guid(random.Next(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).ToString();
        return test.Signer.Sign(targets.Mine.WebhookUrl!, id, Body(targets.Mine).Replace(targets.Mine.Id, id, StringComparison.Ordinal));
    }

    private static string Body(FalRequest request) =>
        $"{{\"request_id\": \"{request.Id}\", \"gateway_request_id\": \"{request.Id}\", \"status\": \"OK\", \"error\": null, \"payload\": {{\"video\": {{\"url\": \"{request.FileUrl}\"}}}}}}";

    private async Task<(Phone Phone, FalRequest Request, string JobId)> RunningAsync()
    {
        var phone = await _system.NewGuestAsync(100);
        var prompt = $"Running {Guid.NewGuid():N} [slow 250] [no-webhook]";
        var job = (await phone.GenerateAsync(prompt))["job_id"].GetString()!;
        await Eventually.IsAsync(() => _system.RowsAsync($"select stage from video_jobs where job_id = '{job}'"), rows => rows is ["submitted"]);
        return (phone, Fal.Requests.Values.Single(request => request.Prompt == prompt), job);
    }

    private async Task<FalRequest> FinishedAsync(Phone phone)
    {
        var prompt = $"Finished {Guid.NewGuid():N}";
        Assert.Equal("completed", (await phone.GenerateAndWatchAsync(prompt)).GetProperty("status").GetString());
        return Fal.Requests.Values.Single(request => request.Prompt == prompt);
    }

    private Task<List<string>> MoneyAndJobsAsync() =>
        _system.RowsAsync(
            """
            select 'job', job_id::text, to_jsonb(j)::text from video_jobs j
            union all select 'submission', id::text, to_jsonb(s)::text from job_submissions s
            union all select 'ledger', id::text, to_jsonb(q)::text from quota_log q
            union all select 'user', id::text, to_jsonb(u)::text from users u
            union all select 'file', id::text, to_jsonb(o)::text from storage_objects o
            order by 1, 2
            """
        );

    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, HttpRequestMessage message)
    {
        using (message)
        {
            return await http.SendAsync(message);
        }
    }

    private Task<(int Code, string Output)> AdminAsync(params string[] args) => ServerProcess.RunAsync(["admin", .. args, "--database", _system.Owner]);
}
