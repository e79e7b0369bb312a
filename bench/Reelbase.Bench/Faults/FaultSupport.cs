using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Reelbase.Bench.Faults;

/// <summary>Support, who acts at random on the jobs of the same users at the same time: refunds in part and whole, retries, cancels, adjusts, and deletes nothing that is not theirs.</summary>
public sealed class FaultSupport(FaultWorld world, FaultTally tally, int seed) : IDisposable
{
    private const double ThinkSeconds = 0.5;
    private const int MaxTriesPerCall = 2000;

    private readonly Random _random = new(seed);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };

    public async Task PlayAsync(CancellationToken over)
    {
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", world.SupportToken);
        while (!over.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(_random.NextDouble() * ThinkSeconds), CancellationToken.None);
            var jobs = tally.Accepted.Keys.ToList();
            if (jobs.Count == 0)
            {
                continue;
            }
            // The latest ones are still on their way.
            var job = jobs[Math.Max(0, jobs.Count - 1 - _random.Next(_random.Next(3) == 0 ? jobs.Count : Math.Min(jobs.Count, 20)))];
            await ActAsync(job, tally.Accepted[job]);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task ActAsync(Guid job, FaultPress press)
    {
        const string reason = "during the faults";
        tally.SupportActions.AddOrUpdate("all", 1, (_, count) => count + 1);
        switch (_random.Next(10))
        {
            case < 4:
                var amount = _random.Next(2) == 0 ? _random.Next(1, 9) : 8;
                if (
                    await CallAsync(
                        "/admin-refund-credits",
                        new
                        {
                            user_id = press.UserId,
                            amount,
                            job_id = job,
                            reason,
                        }
                    )
                    is not null
                )
                {
                    tally.Refunds.AddOrUpdate(job, amount, (_, before) => before + amount);
                    tally.SupportActions.AddOrUpdate("refunds", 1, (_, count) => count + 1);
                }
                break;
            case < 6:
                if (await CallAsync("/admin-cancel-job", new { job_id = job, reason }) is not null)
                {
                    tally.SupportActions.AddOrUpdate("cancellations", 1, (_, count) => count + 1);
                }
                break;
            case < 9:
                if (await CallAsync("/admin-retry-job", new { job_id = job, reason }) is { } answer)
                {
                    tally.Retries.AddOrUpdate(press.Prompt, 1, (_, count) => count + 1);
                    tally.Accepted[answer.GetProperty("job_id").GetGuid()] = press;
                    tally.SupportActions.AddOrUpdate("retries", 1, (_, count) => count + 1);
                }
                break;
            default:
                amount = _random.Next(2) == 0 ? _random.Next(1, 9) : -_random.Next(1, 9);
                if (
                    await CallAsync(
                        "/admin-adjust-credits",
                        new
                        {
                            user_id = press.UserId,
                            amount,
                            reason,
                        }
                    )
                    is not null
                )
                {
                    tally.Adjustments.AddOrUpdate(press.UserId, amount, (_, before) => before + amount);
                    tally.SupportActions.AddOrUpdate("adjustments", 1, (_, count) => count + 1);
                }
                break;
        }
    }

    /// <summary>Repeats a call under one key until it is answered; null when it is refused, which a job that has ended or has nothing left does.</summary>
    private async Task<JsonElement?> CallAsync(string path, object body)
    {
        var key = Guid.NewGuid().ToString();
        for (var attempt = 0; attempt < MaxTriesPerCall; attempt++)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, world.AnyUrl(_random) + path) { Content = JsonContent.Create(body) };
                request.Headers.Add("Idempotency-Key", key);
                using var response = await _http.SendAsync(request);
                var text = await response.Content.ReadAsStringAsync();
                switch (response.StatusCode)
                {
                    case HttpStatusCode.OK:
                        return JsonDocument.Parse(text).RootElement;
                    // A cancellation has no key inside: repeated after it was done it is refused.
                    case HttpStatusCode.Conflict or HttpStatusCode.NotFound:
                        return null;
                    case HttpStatusCode.ServiceUnavailable:
                        break;
                    default:
                        tally.Surprises.Add($"support: {path} answered {(int)response.StatusCode}: {text}");
                        break;
                }
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException or IOException)
            {
                // Again, with the same key.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100 + _random.Next(200)));
        }
        throw new InvalidOperationException("a call of support was never answered");
    }
}

/// <summary>A press that was accepted: whose it is and what it asked for.</summary>
public sealed record FaultPress(Guid UserId, string Prompt);
