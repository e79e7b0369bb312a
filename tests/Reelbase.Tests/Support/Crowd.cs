using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Tests.Support;

/// <summary>Users by the thousand, made without a phone each: rows, sessions and the tokens that the server itself would have made.</summary>
public static class Crowd
{
    /// <summary>A user with a token.</summary>
    public sealed record Member(Guid UserId, string Token, Caller Caller);

    /// <summary>Makes users with a balance each.</summary>
    public static async Task<List<Member>> MakeAsync(TestSystem system, int count, int credits, string? appleSubject = null)
    {
        var tokens = system.Server.Services.GetRequiredService<AccessTokens>();
        var ids = Enumerable.Range(0, count).Select(_ => (User: Guid.NewGuid(), Session: Guid.NewGuid())).ToList();
        var rows = string.Join(",", ids.Select(id => $"('{id.User}'::uuid, '{id.Session}'::uuid)"));
        await system.ExecuteAsync(
            $"""
            create temporary table crowd as select * from (values {rows}) v (user_id, session_id);
            insert into users (id, is_guest, apple_sub)
            select user_id, {(appleSubject is null ? "true" : "false")}, {(appleSubject is null ? "null" : $"'{appleSubject}' || user_id")} from crowd;
            insert into sessions (id, user_id) select session_id, user_id from crowd;
            select write_ledger(user_id, {credits}, 'admin_adjustment') from crowd where {credits} <> 0;
            """
        );
        var members = new List<Member>(count);
        foreach (var (user, session) in ids)
        {
            var token = tokens.Create(new(user, session, "anonymous", appleSubject is null, null)).Token;
            members.Add(new(user, token, (await tokens.ReadAsync(token))!));
        }
        return members;
    }

    /// <summary>Does something for each, a few at a time.</summary>
    public static Task EachAsync<T>(IEnumerable<T> all, Func<T, Task> act, int atOnce = 8) =>
        Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (one, _) => await act(one));
}
