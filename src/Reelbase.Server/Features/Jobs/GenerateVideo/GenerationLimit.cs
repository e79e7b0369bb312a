using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Features.Catalog.AppSettings;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Idempotency;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Jobs.GenerateVideo;

/// <summary>
/// Presses of users and addresses that were over their limit a moment ago. Many of them are confirmed in one statement that takes no lock; whatever is not
/// confirmed (a repeated key, a user whose tier has changed, a window that has moved on) goes to <c>generate_video</c>, which decides.
/// </summary>
public sealed class GenerationLimit(
    ReachedLimits reached,
    CallerResolver callers,
    ApiDatabase database,
    IOptions<GenerationOptions> options,
    ServerLimits limits
)
{
    private const string Action = "generate_video";
    private const int MaxWaiting = 10_000;

    private readonly BatchedCalls<Press, Confirmed?> _presses = new(
        async presses =>
            InOrder(
                presses.Count,
                await database.ListAsync<Confirmed>(
                    "select * from confirm_generation_limit($1, $2, $3, $4, $5::jsonb)",
                    CancellationToken.None,
                    presses.Select(press => press.UserId).ToArray(),
                    presses.Select(press => press.SessionId).ToArray(),
                    presses.Select(press => press.Key).ToArray(),
                    presses.Select(press => press.Address).ToArray(),
                    RulesOf(options.Value, limits)
                )
            ),
        MaxWaiting
    );

    /// <summary>Statements by which refusals were confirmed.</summary>
    internal long Confirmations => _presses.Calls;

    /// <summary>The limits as SQL reads them.</summary>
    public string Rules => RulesOf(options.Value, limits);

    /// <summary>The refusal of a press that is over its limit for certain; null when <c>generate_video</c> has to say.</summary>
    public async Task<ErrorResponse?> RefuseAsync(HttpContext context)
    {
        if (
            await callers.ReadAsync(context) is not { UserId: { } userId } caller
            || !IdempotencyKey.TryRead(context, out var key)
            || !IsReached(context, userId)
            // Last, because the claims have to be read for it.
            || caller.SessionId is not { } sessionId
            || _presses.TryAsk(new(userId, sessionId, key, context.Connection.RemoteIpAddress ?? IPAddress.Any)) is not { } asked
        )
        {
            return null;
        }
        if (await asked is not { } over)
        {
            return null;
        }
        ErrorWriter.SetChosenLanguage(context, over.Language);
        return new(ReachedLimits.Refusal(over.RateLimit, over.Scope, over.RetryAfterSeconds));
    }

    /// <summary>For a press that has waited for its place while the database refused others of the same user.</summary>
    public RepeatedCheck CheckAgain(HttpContext context, Caller caller) =>
        new(
            () => caller.UserId is { } userId && IsReached(context, userId),
            async () =>
            {
                if (await RefuseAsync(context) is { } refused)
                {
                    throw refused.Error;
                }
            }
        );

    private bool IsReached(HttpContext context, Guid userId) =>
        reached.Contains(LimitSubject.Of(Action, userId)) || reached.Contains(LimitSubject.Of(Action, context.Connection.RemoteIpAddress));

    /// <summary>Remembers that this press took the last place of its user.</summary>
    public void Note(Caller caller, int? remaining, DateTime? resetAt)
    {
        if (caller.UserId is { } userId)
        {
            reached.Note(LimitSubject.Of(Action, userId), remaining, resetAt);
        }
    }

    /// <summary>Calls <c>generate_video</c>, and remembers a refusal by a limit.</summary>
    public async Task<T> WatchAsync<T>(HttpContext context, Caller caller, Func<Task<T>> callAsync)
    {
        try
        {
            return await callAsync();
        }
        catch (NpgsqlException error)
            when (reached.Note(
                    error,
                    scope =>
                        scope switch
                        {
                            "user" when caller.UserId is { } userId => LimitSubject.Of(Action, userId),
                            "address" => LimitSubject.Of(Action, context.Connection.RemoteIpAddress),
                            _ => null,
                        }
                )
            )
        {
            throw;
        }
    }

    private static string RulesOf(GenerationOptions options, ServerLimits limits) =>
        JsonSerializer.Serialize(
            new
            {
                guest = limits.OrNone("Generation:GuestPerWindow", options.GuestPerWindow),
                member = limits.OrNone("Generation:MemberPerWindow", options.MemberPerWindow),
                premium = limits.OrNone("Generation:PremiumPerWindow", options.PremiumPerWindow),
                guest_ip = limits.OrNone("Generation:GuestsPerAddressPerWindow", options.GuestsPerAddressPerWindow),
                window_seconds = options.WindowSeconds,
                low_credits_below = limits.Of("Generation:LowCreditsBelow", options.LowCreditsBelow),
            }
        );

    private static Confirmed?[] InOrder(int count, List<Confirmed> rows)
    {
        var all = new Confirmed?[count];
        foreach (var row in rows)
        {
            all[row.Place - 1] = row;
        }
        return all;
    }

    private sealed record Press(Guid UserId, Guid SessionId, Guid Key, IPAddress Address);

    private sealed record Confirmed(int Place, int RateLimit, string Scope, int RetryAfterSeconds, string? Language);
}
