using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Reelbase.Bench.Faults;

/// <summary>What all users saw.</summary>
public sealed class FaultTally
{
    /// <summary>Jobs whose acceptance somebody has been answered.</summary>
    public ConcurrentDictionary<Guid, FaultPress> Accepted { get; } = new();

    /// <summary>What support gave back, by job, and added or took, by user; retries by prompt; actions by kind.</summary>
    public ConcurrentDictionary<Guid, int> Refunds { get; } = new();
    public ConcurrentDictionary<Guid, int> Adjustments { get; } = new();
    public ConcurrentDictionary<string, int> Retries { get; } = new();
    public ConcurrentDictionary<string, int> SupportActions { get; } = new();

    /// <summary>Answers by status; 0 for a connection that broke.</summary>
    public ConcurrentDictionary<int, int> Answers { get; } = new();

    /// <summary>Answers that no user should ever get.</summary>
    public ConcurrentBag<string> Surprises { get; } = [];

    /// <summary>Videos that users fetched and that were whole.</summary>
    public int VideosPlayed => _videosPlayed;

    /// <summary>Presses that were repeated with the same key after they had been answered.</summary>
    public int Replays => _replays;

    private int _videosPlayed;
    private int _replays;

    public void AddVideo() => Interlocked.Increment(ref _videosPlayed);

    public void AddReplay() => Interlocked.Increment(ref _replays);
}

/// <summary>One user: presses, repeats with the same key until an answer comes, polls, plays, deletes, as a good client does.</summary>
public sealed class FaultUser(FaultWorld world, FaultTally tally, int number, int seed) : IDisposable
{
    private const double ThinkSeconds = 5;
    private const int MaxTriesPerCall = 2000;

    private static readonly string[] Models =
    [
        // fal, Pika and Runway.
        "a0000000-0000-4000-8000-000000000001",
        "a0000000-0000-4000-8000-000000000009",
        "a0000000-0000-4000-8000-000000000006",
        "a0000000-0000-4000-8000-00000000000b",
    ];

    private static readonly string[] Directives =
    [
        "",
        "",
        "",
        "",
        "[slow 3]",
        "[no-webhook]",
        "[late-webhook 4]",
        "[twice]",
        "[forged]",
        "[foreign]",
        "[reject]",
        "[fail]",
        "[429]",
        "[500]",
        "[timeout]",
        "[lost]",
        "[garbage]",
        "[truncated]",
        "[old-address]",
        "[redirect-private]",
    ];

    private readonly Random _random = new(seed);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };

    private Guid _userId;

    /// <summary>Plays until it is over; what has begun is still answered.</summary>
    public async Task PlayAsync(CancellationToken over)
    {
        var device = Guid.NewGuid().ToString();
        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes("device:" + device));
        var session = await CallAsync(() => Post("/device-check", new { device_id = device, device_token = token }, null));
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", session.GetProperty("access_token").GetString());
        _userId = session.GetProperty("user_id").GetGuid();
        await GiveCreditsAsync(_userId);
        for (var round = 0; !over.IsCancellationRequested; round++)
        {
            await PressOnceAsync(round, over);
            await PauseAsync(_random.NextDouble() * ThinkSeconds, over);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task PressOnceAsync(int round, CancellationToken over)
    {
        var key = Guid.NewGuid().ToString();
        var body = new
        {
            model_id = Models[_random.Next(Models.Length)],
            prompt = $"User {number} round {round} {Directives[_random.Next(Directives.Length)]}".Trim(),
        };
        var accepted = await CallAsync(() => Post("/generate-video", body, key));
        var job = accepted.GetProperty("job_id").GetGuid();
        tally.Accepted[job] = new(_userId, body.prompt);
        switch (_random.Next(10))
        {
            case 0:
                var again = await CallAsync(() => Post("/generate-video", body, key));
                tally.AddReplay();
                if (again.GetProperty("job_id").GetGuid() != job)
                {
                    tally.Surprises.Add($"the same key gave job {job} and then another");
                }
                break;
            case 1:
                await PauseAsync(_random.NextDouble() * 3, over);
                await CallAsync(() => Post("/delete-video-job", new { job_id = job }, null));
                break;
            case < 6:
                await WatchAsync(job, over);
                break;
        }
    }

    private async Task WatchAsync(Guid job, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            var status = await CallAsync(() => new HttpRequestMessage(HttpMethod.Get, $"{world.AnyUrl(_random)}/get-video-status?job_id={job}"));
            switch (status.GetProperty("status").GetString())
            {
                case "completed":
                    await FetchVideoAsync(status.GetProperty("video_url").GetString()!);
                    return;
                case "failed":
                    return;
            }
            await PauseAsync(1, over);
        }
    }

    private async Task FetchVideoAsync(string url)
    {
        try
        {
            var bytes = await _http.GetByteArrayAsync(url);
            if (bytes.Length < 12 || !bytes.AsSpan(4, 4).SequenceEqual("ftyp"u8))
            {
                tally.Surprises.Add($"a finished job's video is {bytes.Length} bytes of something else");
            }
            tally.AddVideo();
        }
        catch (HttpRequestException error) when (error.StatusCode is null or System.Net.HttpStatusCode.ServiceUnavailable)
        {
            // The server died meanwhile; the address stays good.
        }
        catch (Exception error) when (error is IOException or TaskCanceledException)
        {
            // So here.
        }
    }

    /// <summary>Repeats a call until it is answered with 200; whoever has an idempotency key may.</summary>
    private async Task<JsonElement> CallAsync(Func<HttpRequestMessage> make)
    {
        for (var attempt = 0; attempt < MaxTriesPerCall; attempt++)
        {
            try
            {
                using var request = make();
                using var response = await _http.SendAsync(request);
                var text = await response.Content.ReadAsStringAsync();
                tally.Answers.AddOrUpdate((int)response.StatusCode, 1, (_, count) => count + 1);
                if (response.IsSuccessStatusCode)
                {
                    return JsonDocument.Parse(text).RootElement;
                }
                if ((int)response.StatusCode != 503)
                {
                    tally.Surprises.Add($"{request.Method} {request.RequestUri} answered {(int)response.StatusCode}: {text}");
                }
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException or IOException)
            {
                tally.Answers.AddOrUpdate(0, 1, (_, count) => count + 1);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100 + _random.Next(200)));
        }
        throw new InvalidOperationException("a call was never answered");
    }

    private async Task GiveCreditsAsync(Guid userId)
    {
        for (var attempt = 0; attempt < MaxTriesPerCall; attempt++)
        {
            try
            {
                // The transaction id makes it safe to repeat.
                await world.RowsAsync($"select add_credits('{userId}', 100000, 'admin_adjustment', 'gift-{userId}')::text");
                return;
            }
            catch (Npgsql.NpgsqlException)
            {
                await Task.Delay(200);
            }
        }
    }

    private HttpRequestMessage Post(string path, object body, string? key)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, world.AnyUrl(_random) + path) { Content = JsonContent.Create(body) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }
        return request;
    }

    private static Task PauseAsync(double seconds, CancellationToken over) =>
        Task.Delay(TimeSpan.FromSeconds(seconds), over).ContinueWith(_ => { }, TaskScheduler.Default);
}
