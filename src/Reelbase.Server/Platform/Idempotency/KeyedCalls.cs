using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Platform.Idempotency;

/// <summary>What a function answered, and whether that was the stored answer of an earlier call with the same key.</summary>
/// <param name="Answer">JSON.</param>
/// <param name="Replayed">Whether <c>find_replay</c> found it.</param>
public sealed record KeyedAnswer(string Answer, bool Replayed);

/// <summary>Calls of functions that take a key and answer JSON.</summary>
public static class KeyedCalls
{
    /// <summary>Calls it as the caller.</summary>
    /// <param name="database">Where.</param>
    /// <param name="caller">Who.</param>
    /// <param name="function">The call, arguments as <c>$1, $2 ...</c>.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="arguments">The arguments.</param>
    public static async Task<KeyedAnswer> CallAsync(
        ApiDatabase database,
        Caller caller,
        string function,
        CancellationToken cancellationToken,
        params object?[] arguments
    ) =>
        (
            await database.ListAsync<KeyedAnswer>(
                caller,
                // In the list of columns, which is read when the function has run.
                $"select f.answer::text as answer, coalesce(current_setting('reelbase.replayed', true), '') = 'true' as replayed from {function} as f (answer)",
                cancellationToken,
                arguments
            )
        )[0];
}
