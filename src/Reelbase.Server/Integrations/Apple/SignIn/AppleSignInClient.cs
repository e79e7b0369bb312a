using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Integrations.Apple.SignIn;

/// <summary>What Apple answered.</summary>
public abstract record AppleTokenResponse
{
    /// <summary>A code became a refresh token.</summary>
    public sealed record Exchanged(string RefreshToken) : AppleTokenResponse;

    /// <summary>Apple takes the token for no longer valid. It says so of any token, so it proves little, but there is no more to do.</summary>
    public sealed record Revoked : AppleTokenResponse;

    /// <summary>The code was used, is too old, or was made for another app.</summary>
    public sealed record Invalid(string Reason) : AppleTokenResponse;

    /// <summary>It could not be done now.</summary>
    public sealed record Unavailable(string Reason) : AppleTokenResponse;
}

/// <summary>Exchanges codes and revokes tokens. Source of the rules: Apple's "Token validation", "Token revocation" and "Creating a client secret".</summary>
public sealed class AppleSignInClient(IHttpClientFactory clients, IOptions<AppleSignInOptions> options, TimeProvider clock) : IDisposable
{
    private const int SecretLifeSeconds = 300;
    private readonly AppleKey _key = new(options.Value.PrivateKey, options.Value.PrivateKeyFile, options.Value.KeyId);

    /// <summary>Trades an authorization code, which is good once and for five minutes, for a refresh token.</summary>
    public Task<AppleTokenResponse> ExchangeAsync(string clientId, string code, CancellationToken cancellationToken) =>
        PostAsync(
            "/auth/token",
            clientId,
            new() { ["grant_type"] = "authorization_code", ["code"] = code },
            body => body.Text("refresh_token") is { } token ? new AppleTokenResponse.Exchanged(token) : new AppleTokenResponse.Invalid("no refresh_token"),
            cancellationToken
        );

    /// <summary>Takes back the permission that a user gave the app.</summary>
    public Task<AppleTokenResponse> RevokeAsync(string clientId, string refreshToken, CancellationToken cancellationToken) =>
        PostAsync(
            "/auth/revoke",
            clientId,
            new() { ["token"] = refreshToken, ["token_type_hint"] = "refresh_token" },
            _ => new AppleTokenResponse.Revoked(),
            cancellationToken
        );

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    private async Task<AppleTokenResponse> PostAsync(
        string path,
        string clientId,
        Dictionary<string, string> form,
        Func<JsonElement, AppleTokenResponse> read,
        CancellationToken cancellationToken
    )
    {
        if (!options.Value.CanAsk)
        {
            return new AppleTokenResponse.Unavailable("Sign in with Apple has no key");
        }
        form["client_id"] = clientId;
        form["client_secret"] = Secret(clientId);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(options.Value.TimeoutSeconds));
        try
        {
            using var content = new FormUrlEncodedContent(form);
            using var response = await clients.CreateClient(AppleTokens.ClientName).PostAsync(options.Value.BaseUrl.TrimEnd('/') + path, content, limit.Token);
            var text = await response.Content.ReadAsStringAsync(limit.Token);
            using var document = JsonDocument.Parse(text.Length == 0 ? "{}" : text);
            var error = document.RootElement.Text("error");
            return (int)response.StatusCode switch
            {
                200 => read(document.RootElement),
                // Only this one is about the code or token; the others are about our key and are worth another try once it is put right.
                400 when error == "invalid_grant" => new AppleTokenResponse.Invalid(error),
                var status => new AppleTokenResponse.Unavailable($"answered {status} {error}"),
            };
        }
        catch (JsonException)
        {
            return new AppleTokenResponse.Unavailable("the answer is no JSON");
        }
        catch (Exception error)
            when (error is HttpRequestException or IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new AppleTokenResponse.Unavailable(error.GetType().Name);
        }
    }

    private string Secret(string clientId)
    {
        var now = AppleKey.IssuedAt(clock);
        return _key.Sign(
            new()
            {
                ["iss"] = options.Value.TeamId!,
                ["iat"] = now,
                ["exp"] = now + AppleKey.BackdatedSeconds + SecretLifeSeconds,
                ["aud"] = "https://appleid.apple.com",
                ["sub"] = clientId,
            }
        );
    }
}
