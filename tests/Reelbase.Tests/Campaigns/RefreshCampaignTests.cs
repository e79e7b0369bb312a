using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns;

/// <summary>
/// Many phones refresh at once, each from several places with one token, as apps do that wake up together. Whoever is refused with a 4xx is signed out for ever, so nobody may be; a 503 is
/// repeated, as the SDKs do.
/// </summary>
[Campaign]
public sealed class RefreshCampaignTests(TestSystem system) : IClassFixture<TestSystem>
{
    private const int PlacesPerSession = 20;
    private const int AtOnce = 64;
    private const int MaxRepeats = 20;

    [Fact]
    public async Task Sessions_that_are_refreshed_from_twenty_places_at_once_stay_signed_in_and_agree()
    {
        var sessions = Campaign.Share(25, 1000);
        var random = new Random(Campaign.Seed);
        var users = await system.RowsAsync($"insert into users (is_guest) select true from generate_series(1, {sessions}) returning id");
        var service = (Reelbase.Server.Features.Sessions.SessionService)
            system.Server.Services.GetService(typeof(Reelbase.Server.Features.Sessions.SessionService))!;
        var tokens = new List<string>();
        foreach (var user in users)
        {
            tokens.Add((await service.StartAsync(Guid.Parse(user), "anonymous", CancellationToken.None)).Response.RefreshToken);
        }
        using var http = system.Anybody();
        for (var round = 0; round < 3; round++)
        {
            var calls = Enumerable.Range(0, sessions).SelectMany(session => Enumerable.Repeat(session, PlacesPerSession)).ToArray();
            random.Shuffle(calls);
            var answers = new List<string>[sessions];
            for (var session = 0; session < sessions; session++)
            {
                answers[session] = [];
            }
            var current = tokens.ToList();
            await Parallel.ForEachAsync(
                calls,
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
                async (session, _) =>
                {
                    var next = await RefreshAsync(http, current[session]);
                    lock (answers[session])
                    {
                        answers[session].Add(next);
                    }
                }
            );
            for (var session = 0; session < sessions; session++)
            {
                Assert.Equal(PlacesPerSession, answers[session].Count);
                tokens[session] = Assert.Single(answers[session].Distinct());
                Assert.NotEqual(current[session], tokens[session]);
            }
        }
        Assert.Equal(0, await system.QueryAsync<long>("select count(*) from sessions where revoked_at is not null"));
        Assert.Equal(sessions, await system.QueryAsync<long>("select count(*) from sessions where refresh_counter = 3"));
    }

    private static async Task<string> RefreshAsync(HttpClient http, string token)
    {
        for (var attempt = 0; ; attempt++)
        {
            var answer = await ApiResponse.ReadAsync(await http.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = token }));
            if (answer.Status != HttpStatusCode.ServiceUnavailable || attempt == MaxRepeats)
            {
                Assert.True(answer.Status == HttpStatusCode.OK, $"{(int)answer.Status} {answer.Text}");
                return answer["refresh_token"].GetString()!;
            }
        }
    }
}
