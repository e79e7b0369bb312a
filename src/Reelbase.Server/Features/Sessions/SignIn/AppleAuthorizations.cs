using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Sessions.SignIn;

/// <summary>
/// Keeps Apple's authorization codes until a worker has exchanged them, and the refresh tokens that come of it until the account is deleted. Always
/// encrypted; never in an answer or a log.
/// </summary>
public sealed class AppleAuthorizations(ApiDatabase database, Keys keys, ChangeFeed feed, IOptions<AppleSignInOptions> options)
{
    /// <summary>What the box of these secrets is called.</summary>
    internal const string Purpose = "apple authorizations";

    private const int MaxCodeLength = 2048;
    private readonly SecretBox _box = new(keys, Purpose);

    /// <summary>Keeps a code, if there is one and a key to exchange it with.</summary>
    /// <param name="userId">Whose it is.</param>
    /// <param name="clientId">The app that it was made for; null: our first one.</param>
    /// <param name="code">Apple's code.</param>
    public async Task KeepAsync(Guid userId, string? clientId, string? code)
    {
        if (Seal(code) is not { } secret)
        {
            return;
        }
        await database.ExecuteAsync(
            "select keep_apple_authorization($1, $2, $3)",
            CancellationToken.None,
            userId,
            clientId ?? options.Value.ClientIds[0],
            secret
        );
        feed.Publish(AppleAuthorizationWorker.WakeTopic);
    }

    /// <summary>A code as it is kept; null when there is none, or no key to exchange it with.</summary>
    public byte[]? Seal(string? code) => code is { Length: > 0 and <= MaxCodeLength } && options.Value.CanAsk ? _box.Seal(code) : null;

    /// <summary>The app that a code of nobody in particular was made for.</summary>
    public string? DefaultClientId => options.Value.CanAsk ? options.Value.ClientIds[0] : null;
}
