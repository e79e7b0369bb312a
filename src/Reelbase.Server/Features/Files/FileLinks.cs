using System.Text;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Files;

/// <summary>
/// Makes and reads the signed addresses of files. The same file has the same address at every read until it ends, so that
/// phones can cache it; nothing random and no time of issue goes into it.
/// </summary>
public sealed class FileLinks : IDisposable
{
    private const long WindowSeconds = 30 * 86_400;
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false, MapInboundClaims = false };

    private const int MaxRemembered = 20_000;
    private static readonly TimeSpan Remember = TimeSpan.FromMinutes(10);

    private readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = MaxRemembered });
    private readonly SymmetricSecurityKey _key;
    private readonly string? _publicUrl;
    private readonly TimeProvider _clock;

    public FileLinks(Keys keys, IOptions<ServerOptions> options, TimeProvider clock)
    {
        _key = new SymmetricSecurityKey(keys.Derive("file addresses"));
        _publicUrl = options.Value.PublicUrl?.TrimEnd('/');
        _clock = clock;
    }

    /// <summary>The absolute address of a file.</summary>
    /// <param name="context">The request, for its own address when no public one is configured.</param>
    /// <param name="bucket">videos or thumbnails.</param>
    /// <param name="name">The storage key; null gives null.</param>
    /// <param name="expiresAt">When the address ends; null: the end of the next 30-day window.</param>
    public string? Address(HttpContext context, string bucket, string? name, DateTime? expiresAt) =>
        Address(_publicUrl ?? $"{context.Request.Scheme}://{context.Request.Host}", bucket, name, expiresAt);

    /// <summary>The address of a file on a server that is named.</summary>
    public string? Address(string server, string bucket, string? name, DateTime? expiresAt)
    {
        if (name is null)
        {
            return null;
        }
        if (name.StartsWith("https://", StringComparison.Ordinal) || name.StartsWith("http://", StringComparison.Ordinal))
        {
            // A job from before Reelbase: its file was never ours, and its address was always public.
            return name;
        }
        var ends = expiresAt is { } time
            ? new DateTimeOffset(time).ToUnixTimeSeconds()
            : (_clock.GetUtcNow().ToUnixTimeSeconds() / WindowSeconds + 2) * WindowSeconds;
        // The same file is asked for again and again while a phone watches, and always gets the same token.
        var token = _known.GetOrCreate(
            (bucket, name, ends),
            entry =>
            {
                entry.Size = 1;
                entry.SlidingExpiration = Remember;
                return Handler.CreateToken(
                    new SecurityTokenDescriptor
                    {
                        Claims = new Dictionary<string, object> { ["url"] = $"{bucket}/{name}", ["exp"] = ends },
                        SigningCredentials = new(_key, SecurityAlgorithms.HmacSha256),
                    }
                );
            }
        );
        return $"{server}/storage/v1/object/sign/{bucket}/{name}?token={token}";
    }

    /// <inheritdoc/>
    public void Dispose() => _known.Dispose();

    /// <summary>Whether a token opens exactly this file, now.</summary>
    public async Task<bool> OpensAsync(string token, string bucket, string name)
    {
        if (token.Length is 0 or > 2048 || !Handler.CanReadToken(token))
        {
            return false;
        }
        var result = await Handler.ValidateTokenAsync(
            token,
            new TokenValidationParameters
            {
                IssuerSigningKey = _key,
                ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
                ValidateIssuer = false,
                ValidateAudience = false,
                RequireExpirationTime = true,
                LifetimeValidator = (_, expires, _, _) => expires is { } end && end > _clock.GetUtcNow().UtcDateTime,
            }
        );
        return result.IsValid
            && result.Claims.TryGetValue("url", out var url)
            && url is string path
            && System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(path), Encoding.UTF8.GetBytes($"{bucket}/{name}"));
    }
}
