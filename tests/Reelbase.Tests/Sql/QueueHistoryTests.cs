using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>
/// The kept order against the computed one that it took the place of (<see cref="ComputedQueue"/>). Equal where all presses come before the claims, however many each user has; and whatever
/// comes and goes, each user has been served as often as in the other order, or once more, or once less.
/// </summary>
[Quick]
[Collection(JobClaimTests.Queue)]
public sealed class QueueHistoryTests(SqlDatabase database)
{
    private const int Histories = 6;
    private const int Steps = 60;
    private const int Users = 8;
    private const int Premium = 3;

    [Fact]
    public async Task What_waits_is_handed_out_as_the_computed_order_would()
    {
        for (var history = 0; history < Histories; history++)
        {
            var random = new Random(history);
            await using var run = await History.BeginAsync(database);
            for (var press = 0; press < Steps / 2; press++)
            {
                await run.PressAsync(random.Next(Users));
            }
            while (run.Waiting > 0)
            {
                var (served, expected) = await run.ClaimAsync(1 + random.Next(4));
                Assert.True(expected.SequenceEqual(served), $"history {history}: {run.Script}; the computed order serves {string.Join(' ', expected)}");
            }
        }
    }

    [Fact]
    public async Task Whatever_comes_and_goes_nobody_is_more_than_one_place_off()
    {
        for (var history = 0; history < Histories; history++)
        {
            var random = new Random(1000 + history);
            await using var run = await History.BeginAsync(database);
            for (var step = 0; step < Steps; step++)
            {
                if (random.Next(4) < 3)
                {
                    await run.PressAsync(random.Next(Users));
                    continue;
                }
                await run.ClaimAsync(1 + random.Next(4));
                await run.AssertRememberedAsync();
                Assert.All(run.Ahead, ahead => Assert.True(ahead is >= -1 and <= 1, $"history {history}: {run.Script}; {string.Join(' ', run.Ahead)}"));
            }
        }
    }

    /// <summary>Users of both tiers and of all lanes, whose presses and claims are played to both orders.</summary>
    private sealed class History(SqlCase db, List<Guid> users) : IAsyncDisposable
    {
        private readonly ComputedQueue _model = new();
        private readonly Dictionary<Guid, string> _jobs = [];
        private readonly List<string> _script = [];
        private readonly int[] _ahead = new int[Users];

        public string Script => string.Join("; ", _script);

        /// <summary>How many more of each user's jobs were served than in the computed order.</summary>
        public IReadOnlyList<int> Ahead => _ahead;

        public int Waiting { get; private set; }

        public static async Task<History> BeginAsync(SqlDatabase database)
        {
            var db = await database.BeginAsync();
            await db.RunAsync("update models set provider_cost = 0.0001, pricing_type = 'per_generation' where id = $1", Guid.Parse(Catalog.FastModel));
            var users = new List<Guid>();
            for (var user = 0; user < Users; user++)
            {
                users.Add(await db.NewUserAsync(100_000, user < Premium ? "premium" : "free", user > 5));
            }
            return new(db, users);
        }

        public async Task PressAsync(int user)
        {
            var name = _model.Press(user, user < Premium);
            _jobs[await db.PressAsync(users[user])] = name;
            _script.Add($"press {name}");
            Waiting++;
        }

        public async Task<(List<string> Served, List<string> Expected)> ClaimAsync(int room)
        {
            await db.BecomeAsync("reelbase_worker");
            var taken = await db.RowsAsync(
                $$$"""select job_id from claim_video_jobs('token {{{_script.Count}}}', 600, {{{room}}}, '{"fal": {"concurrency": 10000}, "*": {"reads_model_rows": true}}')"""
            );
            await db.BecomeOwnerAsync();
            var served = taken.Select(id => _jobs[Guid.Parse(id)]).ToList();
            var expected = _model.Claim(room);
            _script.Add($"claim {string.Join(' ', served)} ({string.Join(' ', expected)})");
            served.ForEach(name => _ahead[UserOf(name)]++);
            expected.ForEach(name => _ahead[UserOf(name)]--);
            Waiting -= served.Count;
            return (served, expected);
        }

        /// <summary>A node's memory says the same positions as PostgreSQL.</summary>
        public Task AssertRememberedAsync() => RememberedQueue.AssertSameAsync(db);

        public ValueTask DisposeAsync() => db.DisposeAsync();

        private static int UserOf(string name) => char.ToLowerInvariant(name[0]) - 'a';
    }
}
