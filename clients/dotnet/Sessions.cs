using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Reelbase.Client;

/// <summary>Sends with the session's token, which one request at a time refreshes.</summary>
internal sealed class Sessions(ReelbaseOptions options, Uri baseUrl, HttpMessageHandler attempts) : DelegatingHandler(attempts)
{
    /// <summary>A request that carries no session.</summary>
    public static readonly HttpRequestOptionsKey<bool> IsAnonymous = new("Reelbase.IsAnonymous");

    private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(30);

    private readonly ISessionStore _store = options.SessionStore;
    private readonly Lock _gate = new();
    private Task<ReelbaseSession>? _refreshing;

    public ValueTask<ReelbaseSession?> LoadAsync(CancellationToken cancellationToken) => _store.LoadAsync(cancellationToken);

    public ValueTask SaveAsync(ReelbaseSession? session, CancellationToken cancellationToken) => _store.SaveAsync(session, cancellationToken);

    /// <summary>The session with a token that is good for another half minute.</summary>
    public async Task<ReelbaseSession?> FreshAsync(CancellationToken cancellationToken)
    {
        var session = await _store.LoadAsync(cancellationToken).ConfigureAwait(false);
        return session is not null && session.ExpiresAt < DateTimeOffset.UtcNow + GoodFor
            ? await RefreshAsync(session, cancellationToken).ConfigureAwait(false)
            : session;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var session = request.Options.TryGetValue(IsAnonymous, out _) ? null : await FreshAsync(cancellationToken).ConfigureAwait(false);
        if (session is null)
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", session.AccessToken);
        try
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (ReelbaseException refused) when (refused.Status == 401)
        {
            var newer = await RefreshAsync(session, cancellationToken).ConfigureAwait(false);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", newer.AccessToken);
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Trades the refresh token. However many ask at once, one request goes out and all get its session; who stops waiting stops nobody else.</summary>
    private Task<ReelbaseSession> RefreshAsync(ReelbaseSession stale, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _refreshing ??= Task.Run(() => ExchangeAsync(stale), CancellationToken.None);
            return _refreshing.WaitAsync(cancellationToken);
        }
    }

    private async Task<ReelbaseSession> ExchangeAsync(ReelbaseSession stale)
    {
        try
        {
            // Somebody who was refused with an older token comes after the refresh: the kept session is the newer one.
            var kept = await _store.LoadAsync(CancellationToken.None).ConfigureAwait(false);
            if (kept is not null && kept.AccessToken != stale.AccessToken)
            {
                return kept;
            }
            var session = await TradeAsync(stale).ConfigureAwait(false);
            await ReplaceAsync(stale, session).ConfigureAwait(false);
            return session;
        }
        // Only the server's word ends a session; a bad network or a busy server never does.
        catch (ReelbaseException refused) when (refused.Status is 400 or 403)
        {
            await ReplaceAsync(stale, null).ConfigureAwait(false);
            throw new SessionEndedException(refused);
        }
        finally
        {
            lock (_gate)
            {
                _refreshing = null;
            }
        }
    }

    private async Task<ReelbaseSession> TradeAsync(ReelbaseSession stale)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(baseUrl, "auth/v1/token?grant_type=refresh_token"));
        request.Headers.Add("X-Supabase-Api-Version", "2024-01-01");
        // The direct predecessor of a refresh token stays good, so a refresh whose response was lost may be repeated.
        request.Options.Set(Attempts.IsRepeatable, true);
        var body = new System.Text.Json.Nodes.JsonObject { ["refresh_token"] = stale.RefreshToken };
        request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await base.SendAsync(request, CancellationToken.None).ConfigureAwait(false);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync().ConfigureAwait(false));
        var answer = document.RootElement;
        return stale with
        {
            AccessToken = answer.GetProperty("access_token").GetString()!,
            RefreshToken = answer.GetProperty("refresh_token").GetString()!,
            ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(answer.GetProperty("expires_at").GetInt64()),
        };
    }

    /// <summary>A session that was given or forgotten meanwhile stays as it is.</summary>
    private async Task ReplaceAsync(ReelbaseSession stale, ReelbaseSession? session)
    {
        var kept = await _store.LoadAsync(CancellationToken.None).ConfigureAwait(false);
        if (kept?.RefreshToken == stale.RefreshToken)
        {
            await _store.SaveAsync(session, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
