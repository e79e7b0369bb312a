using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Reelbase.Server.Integrations.Apple;

/// <summary>
/// One of Apple's .p8 keys (P-256), which prove to a service of Apple who calls: an ES256 token signed with it. Every service
/// has a key of its own.
/// </summary>
/// <param name="pem">The key as text; or</param>
/// <param name="file">the file that holds it.</param>
/// <param name="keyId">Becomes <c>kid</c>.</param>
public sealed class AppleKey(string? pem, string? file, string? keyId) : IDisposable
{
    /// <summary>
    /// How far a token's <c>iat</c> lies back: Apple refuses a token of the future, and the clock of a host may be a minute and a half ahead.
    /// </summary>
    public const int BackdatedSeconds = 120;

    private readonly Lock _gate = new();
    private ECDsa? _key;

    /// <summary>When a token made now says that it was issued, in seconds since 1970.</summary>
    public static long IssuedAt(TimeProvider clock) => clock.GetUtcNow().ToUnixTimeSeconds() - BackdatedSeconds;

    /// <summary>A token with exactly these claims.</summary>
    public string Sign(Dictionary<string, object> claims)
    {
        lock (_gate)
        {
            if (_key is null)
            {
                _key = ECDsa.Create();
                _key.ImportFromPem(pem ?? File.ReadAllText(file!));
            }
            return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
                new SecurityTokenDescriptor
                {
                    Claims = claims,
                    SigningCredentials = new(new ECDsaSecurityKey(_key) { KeyId = keyId }, SecurityAlgorithms.EcdsaSha256)
                    {
                        // The default factory remembers signers by key id for the whole process, also after their key is gone.
                        CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
                    },
                }
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _key?.Dispose();
}
