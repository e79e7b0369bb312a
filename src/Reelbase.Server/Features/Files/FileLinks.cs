using System.Text;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
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
    private readonly ServerOptions _server;
    private readonly TimeProvider _clock;

    public FileLinks(Keys keys, IOptions<ServerOptions> options, TimeProvider clock)
    {
        _key = new SymmetricSecurityKey(keys.Derive("file addresses"));
        _server = options.Value;
        _clock = clock;
    }

    /// <summary>The absolute address of a file.</summary>
    /// <param name="context">The request, for its own address when no public one is configured.</param>
    /// <param name="bucket">videos or thumbnails.</param>
    /// <param name="name">The storage key; null gives null.</param>
    /// <param name="expiresAt">When the address ends; null: the end of the next 30-day window.</param>
    public string? Address(HttpContext context, string bucket, string? name, DateTime? expiresAt) =>
        Address(_server.LinkBase(context.Request), bucket, name, expiresAt);

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
                return Sign(new() { ["url"] = $"{bucket}/{name}", ["exp"] = ends });
            }
        );
        return $"{server}/storage/v1/object/sign/{bucket}/{name}?token={token}";
    }

    /// <summary>The path of a signed address below <c>/storage/v1</c>, as Supabase's clients want it: neither absolute nor escaped.</summary>
    public string RelativeAddress(string bucket, string name, DateTime expiresAt) => Address("", bucket, name, expiresAt)!["/storage/v1".Length..];

    /// <summary>An address of a picture for a provider, that opens it as long as the job lives.</summary>
    public string JobAddress(string server, Guid jobId, string bucket, string name, DateTime expiresAt) =>
        $"{server}/storage/v1/object/sign/{bucket}/{name}?token={Sign(new() { ["url"] = $"{bucket}/{name}", ["exp"] = Seconds(expiresAt), ["job"] = jobId.ToString() })}";

    /// <summary>What lets somebody put one file into a place, in the name of its owner's session.</summary>
    public string UploadToken(FileName name, Caller owner, bool isUpsert, DateTime expiresAt) =>
        Sign(
            new()
            {
                ["upload"] = $"{name.Bucket}/{name.Given}",
                ["exp"] = Seconds(expiresAt),
                ["upsert"] = isUpsert,
                ["sub"] = owner.UserId!.Value.ToString(),
                ["session_id"] = owner.SessionId?.ToString() ?? "",
            }
        );

    /// <summary>Who let somebody put a file there, and whether it may replace another; null when nobody did.</summary>
    public async Task<(Caller Owner, bool IsUpsert)?> ReadUploadTokenAsync(string token, FileName name)
    {
        var claims = await ReadAsync(token);
        if (claims is null || Text(claims, "upload") != $"{name.Bucket}/{name.Given}" || !Guid.TryParse(Text(claims, "sub"), out var userId))
        {
            return null;
        }
        var owner = System.Text.Json.JsonSerializer.Serialize(
            new
            {
                sub = userId,
                role = "authenticated",
                session_id = Text(claims, "session_id"),
            }
        );
        return (new("authenticated", userId, owner), claims.TryGetValue("upsert", out var upsert) && upsert is true);
    }

    /// <inheritdoc/>
    public void Dispose() => _known.Dispose();

    /// <summary>Whether a token opens exactly this file, now.</summary>
    /// <returns>Whether it does, and the job without whose life it does not.</returns>
    public async Task<(bool IsOpen, Guid? JobId)> OpensAsync(string token, string bucket, string name)
    {
        var claims = await ReadAsync(token);
        return
            claims is not null
            && Text(claims, "url") is { } path
            && System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(path), Encoding.UTF8.GetBytes($"{bucket}/{name}"))
            ? (true, Guid.TryParse(Text(claims, "job"), out var job) ? job : null)
            : (false, null);
    }

    private async Task<IDictionary<string, object>?> ReadAsync(string token)
    {
        if (token.Length is 0 or > 2048 || !Handler.CanReadToken(token))
        {
            return null;
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
        return result.IsValid ? result.Claims : null;
    }

    private string Sign(Dictionary<string, object> claims) =>
        Handler.CreateToken(new SecurityTokenDescriptor { Claims = claims, SigningCredentials = new(_key, SecurityAlgorithms.HmacSha256) });

    private static long Seconds(DateTime time) => new DateTimeOffset(time).ToUnixTimeSeconds();

    private static string? Text(IDictionary<string, object> claims, string name) => claims.TryGetValue(name, out var value) ? value as string : null;
}
