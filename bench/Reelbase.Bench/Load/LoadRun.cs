using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Reelbase.Bench.Flood;
using Reelbase.Simulators;

namespace Reelbase.Bench.Load;

/// <summary>
/// An app's day, hurried: one node with every role, pretend providers that deliver after a second, and a thousand users who watch, list, look at their credits and press, at a
/// steady pace. What is measured is memory: of the node and of PostgreSQL.
/// </summary>
public static class LoadRun
{
    private const int Workers = 32;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(2);

    /// <summary>Of a hundred requests. A press is followed by its job's status later, like every other.</summary>
    private static readonly (int Share, string Path)[] Mix =
    [
        (56, "/get-video-status"),
        (14, "/get-user-credits"),
        (12, "/get-models"),
        (8, "/get-video-jobs"),
        (5, "/get-credit-history"),
        (2, "/get-themes"),
        (2, "/get-user-profile"),
        (1, "/generate-video"),
    ];

    public static async Task<LoadReport> RunAsync(TimeSpan time, int rate)
    {
        await using var simulators = SimulatorApp.Build(["--urls", "http://127.0.0.1:0", "--Fal:Seconds", "1", "--Videos:Recorded", "true"]);
        await simulators.StartAsync();
        await using var stage = await Stage.PrepareAsync(Settings(simulators.Urls.First()));
        await Task.Delay(Rest);
        var report = new LoadReport
        {
            Rate = rate,
            Idle = MemorySample.Of(stage),
            Load = await FloodCosts.ReadAsync(stage),
        };
        System.Console.Error.WriteLine($"==> {rate} requests a second for {time.TotalMinutes:0.#} minutes");
        using var end = new CancellationTokenSource(time);
        var times = new ConcurrentBag<double>();
        var jobs = new ConcurrentQueue<(string Job, int User)>();
        var watch = Stopwatch.StartNew();
        var asked = 0;
        var workers = Enumerable
            .Range(0, Workers)
            .Select(_ =>
                Task.Run(async () =>
                {
                    using var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{stage.Port}"), Timeout = TimeSpan.FromSeconds(30) };
                    while (!end.IsCancellationRequested)
                    {
                        var due = TimeSpan.FromSeconds(Interlocked.Increment(ref asked) / (double)rate);
                        if (due > watch.Elapsed)
                        {
                            await Task.Delay(due - watch.Elapsed, CancellationToken.None);
                        }
                        var began = Stopwatch.GetTimestamp();
                        await AskAsync(http, stage, jobs);
                        times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                    }
                })
            )
            .ToList();
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(Between);
            report.Samples.Add(MemorySample.Of(stage));
        }
        await Task.WhenAll(workers);
        report.Load = (await FloodCosts.ReadAsync(stage)).Since(report.Load);
        report.Seconds = watch.Elapsed.TotalSeconds;
        report.Milliseconds = [.. times.Order()];
        report.Finished = await stage.ScalarAsync<long>("select count(*) from video_jobs where stage = 'finished' and status = 'completed'") - Stage.Users;
        await Task.Delay(Rest);
        report.After = MemorySample.Of(stage);
        return report;
    }

    private static async Task AskAsync(HttpClient http, Stage stage, ConcurrentQueue<(string Job, int User)> jobs)
    {
        var pick = RandomNumberGenerator.GetInt32(Mix.Sum(each => each.Share));
        var path = Mix.First(each => (pick -= each.Share) < 0).Path;
        var user = RandomNumberGenerator.GetInt32(Stage.Users);
        var query = "";
        if (path == "/get-video-status")
        {
            var job = Stage.JobId(Stage.FirstUser + user);
            // A job that was pressed is asked about again and again.
            if (jobs.TryDequeue(out var pressed))
            {
                (job, user) = pressed;
                if (jobs.Count < Workers)
                {
                    jobs.Enqueue(pressed);
                }
            }
            query = $"?job_id={job}";
        }
        using var request = new HttpRequestMessage(path == "/generate-video" ? HttpMethod.Post : HttpMethod.Get, path + query);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", stage.Tokens[user]);
        if (request.Method == HttpMethod.Post)
        {
            request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
            request.Content = new StringContent(
                $$$"""{"model_id":"{{{Stage.Model}}}","prompt":"A paper boat on a quiet lake","settings":{"duration":8}}""",
                Encoding.UTF8,
                "application/json"
            );
        }
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{path} was answered {(int)answer.StatusCode}: {text}");
        }
        if (request.Method == HttpMethod.Post)
        {
            using var body = System.Text.Json.JsonDocument.Parse(text);
            jobs.Enqueue((body.RootElement.GetProperty("job_id").GetString()!, user));
        }
    }

    private static Dictionary<string, string> Settings(string simulators)
    {
        var settings = new Dictionary<string, string>();
        void Set(string key, string value) => settings["REELBASE__" + key.Replace(":", "__", StringComparison.Ordinal)] = value;
        Set("Server:Roles:0", "api");
        Set("Server:Roles:1", "worker");
        Set("Server:Roles:2", "admin");
        Set("Fal:ApiKey", "sim:key");
        Set("Fal:QueueUrl", simulators + "/fal");
        Set("Fal:JwksUrl", simulators + "/fal/.well-known/jwks.json");
        Set("Fal:Concurrency", "10");
        Set("Downloads:AllowedPrivateEndpoints:0", new Uri(simulators).Authority);
        return settings;
    }
}
