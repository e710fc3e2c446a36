from avatar_scheduler.cli.main import main

main()
