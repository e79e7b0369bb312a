using System.Text.Json;
using Reelbase.Server.Integrations;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>
/// The kinds of work on jobs, for each provider its own: submit, poll, fetch, and settle (what only the database is needed for: refunds
/// and the rescue of interrupted submissions). A provider that hangs, or downloads that do, hold up nothing else.
/// </summary>
internal static class JobPlaces
{
    private const double MicrosPerDollar = 1_000_000;

    /// <summary>Jobs of providers that are not configured here: nobody is called for them.</summary>
    private const string Unknown = "*";

    /// <summary>The places for downloads of a provider's videos.</summary>
    public static string Fetch(string provider) => $"{provider}/fetch";

    /// <summary>How many jobs of each kind may be worked on at once.</summary>
    public static Dictionary<string, int> Limits(VideoProviders providers, int maxUnknown)
    {
        var limits = new Dictionary<string, int>(StringComparer.Ordinal) { [$"{Unknown}/settle"] = maxUnknown };
        foreach (var provider in providers.All)
        {
            limits[$"{provider.Name}/submit"] = provider.Options.MaxConcurrentSubmissions;
            limits[$"{provider.Name}/poll"] = provider.Options.MaxConcurrentPolls;
            limits[Fetch(provider.Name)] = provider.Options.MaxConcurrentDownloads;
            limits[$"{provider.Name}/settle"] = provider.Options.MaxConcurrentSettlements;
        }
        return limits;
    }

    /// <summary>The kind of work that a claimed job is; <c>claim_video_jobs</c> counts in the same way.</summary>
    public static string KindOf(ClaimedJob job, VideoProviders providers) =>
        providers.Find(job.Provider) is null
            ? $"{Unknown}/settle"
            : job switch
            {
                { Stage: "submitted" } => $"{job.Provider}/poll",
                { Stage: "queued", IsPastDeadline: false } => $"{job.Provider}/submit",
                { Stage: "fetching", IsPastDeadline: false } => Fetch(job.Provider),
                _ => $"{job.Provider}/settle",
            };

    /// <summary>What claiming has to mind for each provider.</summary>
    public static string Rules(VideoProviders providers, Bulkheads places)
    {
        Dictionary<string, int> FreeOf(string provider, params string[] kinds) =>
            kinds.ToDictionary(kind => kind, kind => places.Available($"{provider}/{kind}"));
        var rules = providers.All.ToDictionary(
            provider => provider.Name,
            provider =>
                (object)
                    new
                    {
                        concurrency = provider.Options.Concurrency,
                        daily_budget_micros = Micros(provider.Options.DailyBudget),
                        guest_budget_micros = Micros(provider.Options.DailyBudget * provider.Options.GuestBudgetShare),
                        room = FreeOf(provider.Name, "submit", "poll", "fetch", "settle"),
                    }
        );
        rules[Unknown] = new { room = FreeOf(Unknown, "settle"), reads_model_rows = true };
        return JsonSerializer.Serialize(rules);
    }

    private static long? Micros(double dollars) => dollars > 0 ? (long)(dollars * MicrosPerDollar) : null;
}
